// A backend that the system refuses to one of the workers.
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "netcore/core/iocp_core.h"
#include "tests/support/log_lines.h"
#include "tests/support/scripted_port.h"
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

CoreOptions FourWorkers(PortScript& script, LogLines& log) {
  CoreOptions options;
  options.threads = 4;
  options.hook_time_limit = milliseconds::zero();
  options.log = log.Sink();
  options.port_factory = std::make_shared<ScriptedFactory>(script);
  return options;
}

TEST_CASE("a port that is refused to the n-th worker makes the fallback serve all", "[core]") {
  const std::size_t works = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{3});
  PortScript script;
  PortScript spare;
  script.ports_that_work = works;
  script.fallback = std::make_shared<ScriptedFactory>(spare);
  LogLines log;
  IocpCore core(FourWorkers(script, log));
  const Error error = core.Open();
  CHECK(error.Message() == Error().Message());
  CHECK(core.WorkerCount() == 4);
  CHECK(&core.Workers()->Factory() == script.fallback.get());
  const std::string refused = "(worker " + std::to_string(works + 1) + " of 4: make a port: ";
  CHECK(log.Count("backend memory refused " + refused) == 1);
}

TEST_CASE("a refused port without a fallback is an error that names the worker", "[core]") {
  PortScript script;
  script.ports_that_work = 2;
  LogLines log;
  IocpCore core(FourWorkers(script, log));
  const Error error = core.Open();
  CHECK(error == ErrorCode::kTooManyFiles);
  CHECK(error.Message() == "worker 3 of 4: make a port: too many open files");
  CHECK(core.WorkerCount() == 0);
  CHECK(log.All() == "");
}

TEST_CASE("a fallback that is refused too is an error", "[core]") {
  PortScript script;
  PortScript spare;
  script.ports_that_work = 2;
  spare.ports_that_work = 1;
  script.fallback = std::make_shared<ScriptedFactory>(spare);
  LogLines log;
  IocpCore core(FourWorkers(script, log));
  CHECK(core.Open().Message() == "worker 2 of 4: make a port: too many open files");
  CHECK(core.WorkerCount() == 0);
  spare.ports_that_work = SIZE_MAX;
  CHECK_FALSE(core.Open());
  CHECK(core.WorkerCount() == 4);
}

TEST_CASE("a log sink may ask the core that opens", "[core]") {
  PortScript script;
  PortScript spare;
  script.ports_that_work = 2;
  script.fallback = std::make_shared<ScriptedFactory>(spare);
  LogLines unused;
  CoreOptions options = FourWorkers(script, unused);
  IocpCore* asked = nullptr;
  std::string told;
  std::string name;
  std::size_t count = 0;
  options.log = [&](LogLevel, std::string_view line) {
    told = line;
    name = asked->BackendName();
    count = asked->WorkerCount();
  };
  IocpCore core(std::move(options));
  asked = &core;
  CHECK_FALSE(core.Open());
  CHECK(told.find("backend memory refused (worker 3 of 4") == 0);
  CHECK(name == "memory");
  CHECK(count == 4);  // the line comes when the core is open
}

TEST_CASE("a log sink may ask the service that starts", "[core]") {
  PortScript script;
  PortScript spare;
  script.ports_that_work = 2;
  LogLines unused;
  CoreOptions options = FourWorkers(script, unused);
  const auto factory = std::make_shared<ScriptedFactory>(script);
  script.fallback = factory;  // which works from the next port on, on the same addresses
  options.port_factory = factory;
  Service* asked = nullptr;
  std::size_t lines = 0;
  options.log = [&](LogLevel, std::string_view) {
    ++lines;
    script.ports_that_work = SIZE_MAX;
    static_cast<void>(asked->Stats());
    static_cast<void>(asked->LocalEndpoint());
    static_cast<void>(asked->Sessions());
  };
  const auto core = std::make_shared<IocpCore>(std::move(options));
  Service service(core, std::make_shared<Listener>("127.0.0.1", 4'100), MakeSession<TestSession>,
                  4);
  asked = &service;
  CHECK(service.Start() == ErrorCode::kTooManyFiles);
  CHECK(lines == 1);
  CHECK_FALSE(service.Start());
  service.Stop(milliseconds::zero());
  CHECK(core->Dispatch(milliseconds(10)) != DispatchStatus::kStopped);
  CHECK(service.WaitStopped().complete);
  asked = nullptr;
  script.fallback.reset();
}

TEST_CASE("a backend that is named has no fallback", "[core]") {
  for (const Backend backend : RealBackends()) {
    CHECK(NewFactory(backend)->Fallback() == nullptr);
  }
}

}  // namespace
}  // namespace netcore::test
