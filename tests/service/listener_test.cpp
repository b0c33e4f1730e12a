// A listener and the services that share it: whose it is, and what a failed start leaves of it.
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "tests/support/scripted_port.h"
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

bool IsNone(const Endpoint& endpoint) { return endpoint.GetFamily() == Endpoint::Family::kNone; }

std::shared_ptr<IocpCore> MemoryCore(std::shared_ptr<PortFactory> factory,
                                     std::size_t threads = 1) {
  CoreOptions options;
  options.threads = threads;
  options.log = [](LogLevel, std::string_view) {};
  options.hook_time_limit = milliseconds::zero();
  options.port_factory = std::move(factory);
  return std::make_shared<IocpCore>(std::move(options));
}

/// What a failed start leaves: nothing, and the port is free.
void CheckAsBefore(Service& service, const Listener& listener, PortFactory& factory, int port) {
  CHECK(IsNone(service.LocalEndpoint()));
  CHECK(IsNone(listener.LocalEndpoint()));
  CHECK(service.Sessions() == nullptr);
  CHECK(service.Stats().total_sessions == 0);
  CHECK(service.WaitStopped().complete);
  OwnedSocket socket;
  Endpoint bound;
  CHECK_FALSE(
      factory.Listen(Endpoint::LoopbackIpv4(static_cast<std::uint16_t>(port)), {}, socket, bound));
}

/// A session factory that does what a test says when it is copied: in the middle of a Start.
class Copied {
 public:
  explicit Copied(std::shared_ptr<std::function<void()>> on_copy) : on_copy_(std::move(on_copy)) {}
  Copied(const Copied& other) : on_copy_(other.on_copy_) {
    if (*on_copy_) (*on_copy_)();
  }
  Copied(Copied&&) noexcept = default;
  Copied& operator=(const Copied&) = delete;
  ~Copied() = default;
  SessionRef operator()() const { return std::make_shared<TestSession>(); }

 private:
  std::shared_ptr<std::function<void()>> on_copy_;
};

TEST_CASE("a second service on one listener is an error and leaves the first one alone",
          "[service][listener]") {
  OnAllBackends({}, [](World& world) {
    const auto listener = std::make_shared<Listener>("127.0.0.1", 0);
    Service first(world.core, listener, MakeSession<TestSession>, 4);
    REQUIRE_FALSE(first.Start());
    const Endpoint address = first.LocalEndpoint();
    Service second(world.core, listener, MakeSession<TestSession>, 4);
    for (int attempt = 0; attempt < 2; ++attempt) {
      const Error error = second.Start();
      CHECK(error == ErrorCode::kAddressInUse);
      CHECK(error.Message().find("listener " + address.ToString() +
                                 " is already in use by another service") == 0);
      CHECK(IsNone(second.LocalEndpoint()));
      CHECK(second.Sessions() == nullptr);
      CHECK(first.LocalEndpoint() == address);
      CHECK(listener->LocalEndpoint() == address);
    }
    const auto client = std::make_shared<TestSession>();
    REQUIRE_FALSE(world.connector->Connect(address, client));
    CHECK(world.WaitFor([&] { return client->WasConnected(); }));
    CHECK(world.WaitFor([&] { return first.Stats().total_sessions == 1; }));

    first.Stop(milliseconds::zero());
    REQUIRE(first.WaitStopped().complete);
    CHECK(first.LocalEndpoint() == address);
    REQUIRE_FALSE(second.Start());
    CHECK_FALSE(IsNone(second.LocalEndpoint()));
    CHECK(first.LocalEndpoint() == address);
    const auto again = std::make_shared<TestSession>();
    REQUIRE_FALSE(world.connector->Connect(second.LocalEndpoint(), again));
    CHECK(world.WaitFor([&] { return again->WasConnected(); }));
    CHECK(world.WaitFor([&] { return second.Stats().total_sessions == 1; }));
    second.Stop(milliseconds::zero());
    REQUIRE(second.WaitStopped().complete);
    REQUIRE(world.WaitFor([&] { return again->Ended() && client->Ended(); }));
  });
}

TEST_CASE("of two services that start on one listener at once one is refused",
          "[service][listener]") {
  for (int round = 0; round < 20; ++round) {
    const auto core = MemoryCore(std::make_shared<MemoryFactory>());
    const auto listener = std::make_shared<Listener>("127.0.0.1", 0);
    Service one(core, listener, MakeSession<TestSession>, 4);
    Service other(core, listener, MakeSession<TestSession>, 4);
    Error error;
    std::thread thread([&] { error = other.Start(); });
    const Error own = one.Start();
    thread.join();
    CHECK(!own != !error);
    CHECK(IsNone(one.LocalEndpoint()) == static_cast<bool>(own));
    CHECK(IsNone(other.LocalEndpoint()) == static_cast<bool>(error));
    core->Stop();
    one.Stop(milliseconds::zero());
    other.Stop(milliseconds::zero());
  }
}

TEST_CASE("a start that finds no port for a worker leaves all as it was", "[service][listener]") {
  PortScript script;
  script.ports_that_work = 1;
  const auto factory = std::make_shared<ScriptedFactory>(script);
  const auto core = MemoryCore(factory, 2);
  const auto listener = std::make_shared<Listener>("127.0.0.1", 4'000);
  Service service(core, listener, MakeSession<TestSession>, 4);
  CHECK(service.Start() == ErrorCode::kTooManyFiles);
  CheckAsBefore(service, *listener, *factory, 4'000);
  script.ports_that_work = SIZE_MAX;
  CHECK_FALSE(service.Start());
  CHECK(service.LocalEndpoint().Port() == 4'000);
  core->Stop();
  service.Stop(milliseconds::zero());
}

TEST_CASE("a start with too many threads leaves all as it was, with the service's own core",
          "[service][listener]") {
  const auto factory = std::make_shared<MemoryFactory>();
  ServiceOptions options;
  options.address = "127.0.0.1";
  options.port = 4'000;
  options.factory = MakeSession<TestSession>;
  options.core.threads = 5'000;
  options.core.port_factory = factory;
  Service service(std::move(options));
  CHECK(service.Start() == ErrorCode::kInvalidArgument);
  CHECK(IsNone(service.LocalEndpoint()));
  CHECK(service.Sessions() == nullptr);
  OwnedSocket socket;
  Endpoint bound;
  CHECK_FALSE(factory->Listen(Endpoint::LoopbackIpv4(4'000), {}, socket, bound));
}

TEST_CASE("a core that is stopped in the middle of a start, or has no memory there, leaves nothing",
          "[service][listener]") {
  const bool own_core = GENERATE(false, true);
  const bool without_memory = GENERATE(false, true);
  INFO("own core " << own_core << ", without memory " << without_memory);
  const auto factory = std::make_shared<MemoryFactory>();
  const auto on_copy = std::make_shared<std::function<void()>>();
  std::shared_ptr<IocpCore> core;
  std::shared_ptr<Listener> listener = std::make_shared<Listener>("127.0.0.1", 4'000);
  std::unique_ptr<Service> service;
  if (own_core) {
    ServiceOptions options;
    options.address = "127.0.0.1";
    options.port = 4'000;
    options.factory = Copied(on_copy);
    options.core.threads = 1;
    options.core.port_factory = factory;
    options.core.hook_time_limit = milliseconds::zero();
    service = std::make_unique<Service>(std::move(options));
    core = service->GetIocpCore();
  } else {
    core = MemoryCore(factory);
    service = std::make_unique<Service>(core, listener, Copied(on_copy), 4);
  }
  *on_copy = [&] {
    if (without_memory) throw std::bad_alloc();
    core->Stop();
  };
  if (without_memory) {
    CHECK_THROWS_AS(service->Start(), std::bad_alloc);
  } else {
    CHECK(service->Start() == ErrorCode::kStopped);
  }
  *on_copy = nullptr;
  CheckAsBefore(*service, *listener, *factory, 4'000);
  const Error again = service->Start();
  // A core of its own does not open twice; a shared one is the caller's affair.
  CHECK(static_cast<bool>(again) == (own_core || !without_memory));
  if (again) {
    CHECK(again == ErrorCode::kStopped);
  } else {
    CHECK(service->LocalEndpoint().Port() == 4'000);
    core->Stop();
    service->Stop(milliseconds::zero());
  }
}

TEST_CASE("starts that are refused before they listen touch no listener", "[service][listener]") {
  const auto core = MemoryCore(std::make_shared<MemoryFactory>());
  const auto listener = std::make_shared<Listener>("127.0.0.1", 4'000);
  Service good(core, listener, MakeSession<TestSession>, 4);
  REQUIRE_FALSE(good.Start());
  CHECK(Service(core, listener, nullptr, 4).Start() == ErrorCode::kInvalidArgument);
  CHECK(Service(core, listener, MakeSession<TestSession>, 0).Start() ==
        ErrorCode::kInvalidArgument);
  CHECK(good.Start() == ErrorCode::kInvalidArgument);  // a second time
  CHECK(good.LocalEndpoint().Port() == 4'000);
  core->Stop();
  good.Stop(milliseconds::zero());
  CHECK(good.Start() == ErrorCode::kStopped);
}

}  // namespace
}  // namespace netcore::test
