// Starting: what can go wrong, what the error says, and that nothing is left of it.
#include <utility>

#include "tests/support/process_counts.h"
#include "tests/support/scripted_port.h"
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

bool Contains(const Error& error, std::string_view part) {
  return error.Message().find(part) != std::string::npos;
}

ServiceOptions Valid() {
  ServiceOptions options;
  options.address = "127.0.0.1";
  options.factory = MakeSession<TestSession>;
  options.core.threads = 1;
  return options;
}

TEST_CASE("a port out of range is an error of Start", "[service][start]") {
  const int port = GENERATE(-1, 65'536, 1'000'000);
  ServiceOptions options = Valid();
  options.port = port;
  Service service(std::move(options));
  const Error error = service.Start();
  CHECK(error == ErrorCode::kInvalidArgument);
  CHECK(Contains(error, std::to_string(port)));
}

TEST_CASE("an address that is none is an error of Start, which names it", "[service][start]") {
  ServiceOptions options = Valid();
  options.address = "not an address";
  Service service(std::move(options));
  const Error error = service.Start();
  CHECK(error == ErrorCode::kInvalidArgument);
  CHECK(Contains(error, "not an address"));
}

TEST_CASE("an address of another machine is an error of Start, which names it",
          "[service][start]") {
  ServiceOptions options = Valid();
  options.address = "192.0.2.1";  // RFC 5737: nobody's
  Service service(std::move(options));
  const Error error = service.Start();
  CHECK(error == ErrorCode::kAddressNotAvailable);
  CHECK(Contains(error, "192.0.2.1"));
}

TEST_CASE("a missing factory, core or listener and a bad accept depth are errors of Start",
          "[service][start]") {
  const auto core = std::make_shared<IocpCore>();
  const auto listener = std::make_shared<Listener>("127.0.0.1", 0);
  const SessionFactory factory = MakeSession<TestSession>;
  CHECK(Service(core, listener, nullptr, 1).Start() == ErrorCode::kInvalidArgument);
  CHECK(Service(nullptr, listener, factory, 1).Start() == ErrorCode::kInvalidArgument);
  CHECK(Service(core, nullptr, factory, 1).Start() == ErrorCode::kInvalidArgument);
  const Error none = Service(core, listener, factory, 0).Start();
  CHECK(none == ErrorCode::kInvalidArgument);
  CHECK(Contains(none, "accept_depth is 0"));
  CHECK(Service(core, listener, factory, 1'000'000).Start() == ErrorCode::kInvalidArgument);
  CHECK(core->WorkerCount() == 0);
}

TEST_CASE(
    "a port in use is an error that names address and reason, and once it is free Start works",
    "[service][start]") {
  for (const Backend backend : RealBackends()) {
    DYNAMIC_SECTION(ToString(backend)) {
      ServiceOptions options = Valid();
      options.core.backend = backend;
      auto first = std::make_unique<Service>(std::move(options));
      REQUIRE_FALSE(first->Start());
      const Endpoint address = first->LocalEndpoint();

      options = Valid();
      options.core.backend = backend;
      options.port = address.Port();
      Service second(std::move(options));
      const auto threads = SettledCountOf("task");
      const auto descriptors = SettledCountOf("fd");
      const Error error = second.Start();
      CHECK(SettledCountOf("task") == threads);
      CHECK(SettledCountOf("fd") == descriptors);
      CHECK(error == ErrorCode::kAddressInUse);
      CHECK(Contains(error, address.ToString()));
      CHECK(Contains(error, "in use"));
      // No worker was made, so no thread either.
      CHECK(second.GetIocpCore()->WorkerCount() == 0);
      CHECK(second.WaitStopped().complete);

      first->Stop(milliseconds::zero());
      CHECK(first->WaitStopped().complete);
      first.reset();
      CHECK_FALSE(second.Start());
      CHECK(second.LocalEndpoint() == address);
      second.Stop(milliseconds::zero());
      CHECK(second.WaitStopped().complete);
    }
  }
}

TEST_CASE("a port that the system does not give is an error of Start, and another Start works",
          "[service][start]") {
  PortScript script;
  script.ports_that_work = 2;
  CoreOptions core_options;
  core_options.threads = 3;
  core_options.hook_time_limit = milliseconds::zero();
  core_options.port_factory = std::make_shared<ScriptedFactory>(script);
  const auto core = std::make_shared<IocpCore>(core_options);
  Service service(core, std::make_shared<Listener>("127.0.0.1", 4'000), MakeSession<TestSession>,
                  4);
  const Error error = service.Start();
  CHECK(error == ErrorCode::kTooManyFiles);
  CHECK(Contains(error, "make a port"));
  CHECK(core->WorkerCount() == 0);
  CHECK(service.WaitStopped().complete);
  script.ports_that_work = SIZE_MAX;
  CHECK_FALSE(service.Start());
  CHECK(core->WorkerCount() == 3);
  service.Stop(milliseconds::zero());
  CHECK(core->Dispatch(milliseconds(10)) != DispatchStatus::kStopped);
  CHECK(service.WaitStopped().complete);
}

TEST_CASE("a start on a core that was stopped is an error", "[service][start]") {
  const auto core = std::make_shared<IocpCore>(CoreOptions{1});
  const bool opened = GENERATE(true, false);
  if (opened) REQUIRE_FALSE(core->Open());
  core->Stop();
  Service service(core, std::make_shared<Listener>("127.0.0.1", 0), MakeSession<TestSession>, 4);
  CHECK(service.Start() == ErrorCode::kStopped);
  Connector connector(core);
  CHECK(connector.Connect(Endpoint::LoopbackIpv4(1), std::make_shared<TestSession>()) ==
        ErrorCode::kStopped);
}

}  // namespace
}  // namespace netcore::test
