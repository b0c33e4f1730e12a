// Stopping: with a deadline, at once, inside hooks, twice, too early, and by destruction.
#include <chrono>
#include <iostream>
#include <optional>

#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

// Stops and runs the world until that is done.
StopReport StopAndWait(World& world, milliseconds deadline) {
  world.service->Stop(deadline);
  return world.service->WaitStopped();
}

TEST_CASE("a stop under load flushes what is queued and says so", "[service][stop]") {
  const std::string text = RandomText(2'000'000, 5);
  WorldOptions options;
  options.server.max_send_queue_bytes = 0;
  OnAllBackends(options, [&](World& world) {
    std::vector<World::Pair> pairs;
    for (int i = 0; i < 10; ++i) pairs.push_back(world.ConnectPair());
    for (const World::Pair& pair : pairs) pair.server->SendText(text);
    const StopReport report = StopAndWait(world, milliseconds(150'000));
    CHECK(report.complete);
    CHECK(report.sessions_ended == 10);
    CHECK(report.sessions_cut == 0);
    CHECK(report.bytes_unsent == 0);
    CHECK(report.sessions_left == 0);
    REQUIRE(world.WaitFor([&] {
      for (const World::Pair& pair : pairs) {
        if (!pair.client->Ended()) return false;
      }
      return true;
    }));
    for (const World::Pair& pair : pairs) {
      CHECK(pair.client->Received() == text);
      CHECK(pair.client->Info().reason == CloseReason::kPeerClosed);
      CHECK(pair.server->Info().reason == CloseReason::kServiceStopping);
    }
    CHECK(world.service->Stats().Ended(CloseReason::kServiceStopping) == 10);
  });
}

TEST_CASE("a stop cuts at its deadline who does not read, and reports what was lost",
          "[service][stop]") {
  OnAllBackends(Narrow(), [](World& world) {
    const World::Pair slow = world.ConnectPair(NotReading());
    const World::Pair fast = world.ConnectPair();
    slow.server->SendText(std::string(4'000'000, 'x'));
    fast.server->SendText("bye");
    // Long enough for the fast one on a busy machine.
    const StopReport report = StopAndWait(world, milliseconds(world.IsMemory() ? 200 : 2'000));
    CHECK(report.complete);
    CHECK(report.sessions_ended == 2);
    CHECK(report.sessions_cut == 1);
    CHECK(report.bytes_unsent == slow.server->Info().bytes_unsent);
    CHECK(report.bytes_unsent > 0);
    if (world.IsMemory()) {
      CHECK(report.duration < milliseconds(5'000));  // of virtual time
    } else {
      CHECK(report.duration >= milliseconds(1'990));
    }
    slow.client->ResumeRecv();
    REQUIRE(world.WaitFor([&] { return slow.client->Ended() && fast.client->Ended(); }));
    CHECK(slow.client->Info().reason == CloseReason::kPeerReset);
    CHECK(fast.client->Received() == "bye");
  });
}

TEST_CASE("how long a stop with a deadline of 200 ms takes", "[.prove][service][stop]") {
  OnRealBackends(Narrow(), [](World& world) {
    const World::Pair slow = world.ConnectPair(NotReading());
    slow.server->SendText(std::string(4'000'000, 'x'));
    const StopReport report = StopAndWait(world, milliseconds(200));
    CHECK(report.sessions_cut == 1);
    std::cout << "figure: " << world.core->BackendName() << ", a stop with a deadline of 200 ms = "
              << std::chrono::duration<double, std::milli>(report.duration).count() << " ms\n";
  });
}

TEST_CASE("a stop with a deadline of zero ends all at once, with a reset", "[service][stop]") {
  OnAllBackends({}, [](World& world) {
    const World::Pair pair = world.ConnectPair();
    const StopReport report = StopAndWait(world, milliseconds::zero());
    CHECK(report.complete);
    CHECK(report.sessions_ended == 1);
    CHECK(pair.server->Info().reason == CloseReason::kServiceStopping);
    REQUIRE(world.WaitFor([&] { return pair.client->Ended(); }));
    CHECK(pair.client->Info().reason == CloseReason::kPeerReset);
    const TestSessionRef late = world.Connect();
    REQUIRE(world.WaitFor([&] { return late->Ended(); }));
    CHECK(late->Trace() == "D");
  });
}

TEST_CASE("an earlier deadline of a second stop counts, a later one does not", "[service][stop]") {
  const bool earlier = GENERATE(true, false);
  OnMemory(Narrow(), [&](World& world) {
    const World::Pair pair = world.ConnectPair(NotReading());
    pair.server->SendText(std::string(4'000'000, 'x'));
    world.service->Stop(milliseconds(1'000));
    world.RunFor(milliseconds(100));
    world.service->Stop(milliseconds(earlier ? 100 : 100'000));
    world.RunFor(milliseconds(200));
    CHECK(pair.server->Ended() == earlier);
    world.RunFor(milliseconds(800));
    CHECK(pair.server->Ended());
  });
}

TEST_CASE("a stop inside a hook only begins, and waiting there says that it can't",
          "[service][stop]") {
  std::atomic<bool> incomplete{false};
  Service* service = nullptr;
  WorldOptions options;
  options.hooks.on_recv = [&](TestSession& session, std::span<std::byte>) {
    session.SendText("bye");
    service->Stop(milliseconds(100'000));
    incomplete = !service->WaitStopped().complete;
  };
  OnAllBackends(options, [&](World& world) {
    incomplete = false;
    service = world.service.get();
    const World::Pair pair = world.ConnectPair();
    pair.client->SendText("stop");
    CHECK(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
    CHECK(incomplete);
    CHECK(pair.client->Received() == "bye");
    const StopReport report = world.service->WaitStopped();
    CHECK(report.complete);
    CHECK(report.sessions_ended == 1);
  });
}

TEST_CASE("what a hook sends right behind a stop of its own leaves", "[service][stop]") {
  OnAllBackends({}, [](World& world) {
    const World::Pair pair = world.ConnectPair();
    REQUIRE(pair.server->Post([&] {
      world.service->Stop(milliseconds(20'000));
      CHECK(pair.server->SendText("bye") == SendResult::kQueued);
    }));
    REQUIRE(world.WaitFor([&] { return pair.client->Ended() && pair.server->Ended(); }));
    CHECK(pair.client->Received() == "bye");
    CHECK(pair.server->Info().reason == CloseReason::kServiceStopping);
    CHECK(pair.server->Info().bytes_unsent == 0);
  });
}

TEST_CASE("WaitStopped returns when nobody else holds the sessions any more", "[service][stop]") {
  std::atomic<int> alive{0};
  struct Counted final : Session {
    explicit Counted(std::atomic<int>& counter) : count(counter) { ++count; }
    ~Counted() override { --count; }
    std::atomic<int>& count;
  };
  WorldOptions options;
  options.factory = [&]() -> std::shared_ptr<Session> { return std::make_shared<Counted>(alive); };
  OnRealBackends(options, [&](World& world) {
    for (int i = 0; i < 50; ++i) world.Connect();
    REQUIRE(world.WaitFor([&] { return world.service->Stats().sessions == 50; }));
    world.service->Stop(milliseconds::zero());
    const StopReport report = world.service->WaitStopped();
    CHECK(alive == 0);
    CHECK(report.complete);
    CHECK(report.sessions_ended == 50);
  });
}

TEST_CASE("a stop before the start does nothing, after it a start is refused", "[service][stop]") {
  ServiceOptions options;
  options.address = "127.0.0.1";
  options.factory = MakeSession<TestSession>;
  options.core.threads = 1;
  Service service(std::move(options));
  service.Stop(milliseconds(1'000));
  CHECK(service.WaitStopped().complete);
  REQUIRE_FALSE(service.Start());
  CHECK(service.Start() == ErrorCode::kInvalidArgument);
  service.Stop(milliseconds::zero());
  service.Stop(milliseconds(100));
  CHECK(service.WaitStopped().complete);
  CHECK(service.WaitStopped().complete);
  CHECK(service.Start() == ErrorCode::kStopped);
}

TEST_CASE("a service of its own core is destroyed without a stop", "[service][stop]") {
  for (const Backend backend : RealBackends()) {
    DYNAMIC_SECTION(ToString(backend)) {
      const auto client_core = std::make_shared<IocpCore>(CoreOptions{1, backend});
      REQUIRE_FALSE(client_core->Run());
      Connector connector(client_core);
      auto client = std::make_shared<TestSession>();
      {
        ServiceOptions options;
        options.address = "127.0.0.1";
        options.factory = MakeSession<TestSession>;
        options.core.backend = backend;
        options.core.threads = 2;
        Service service(std::move(options));
        REQUIRE_FALSE(service.Start());
        REQUIRE_FALSE(connector.Connect(service.LocalEndpoint(), client));
        REQUIRE(
            Eventually([&] { return service.Stats().sessions == 1 && client->WasConnected(); }));
      }
      CHECK(Eventually([&] { return client->Ended(); }));
      CHECK(client->Info().reason == CloseReason::kPeerReset);
    }
  }
}

TEST_CASE("a service is destroyed inside a hook of its own", "[service][stop]") {
  for (const Backend backend : RealBackends()) {
    DYNAMIC_SECTION(ToString(backend)) {
      auto client_core = std::make_shared<IocpCore>(CoreOptions{1, backend});
      REQUIRE_FALSE(client_core->Run());
      Connector connector(client_core);
      std::atomic<bool> gone{false};
      std::atomic<int> ended{0};
      std::atomic<bool> destroyed{false};
      std::mutex mutex;
      std::unique_ptr<Service> service;
      ServiceOptions options;
      options.address = "127.0.0.1";
      options.core.port_factory = NewFactory(backend, gone);
      options.core.threads = 2;
      Hooks hooks;
      hooks.on_recv = [&](TestSession&, std::span<std::byte>) {
        const std::lock_guard lock(mutex);
        service.reset();
        destroyed = true;
      };
      hooks.on_disconnected = [&](TestSession&, const CloseInfo&) { ++ended; };
      options.factory = [&]() -> std::shared_ptr<Session> {
        return std::make_shared<TestSession>(hooks);
      };
      service = std::make_unique<Service>(std::move(options));
      REQUIRE_FALSE(service->Start());
      const Endpoint address = service->LocalEndpoint();
      std::vector<TestSessionRef> clients;
      for (int i = 0; i < 4; ++i) {
        clients.push_back(std::make_shared<TestSession>());
        REQUIRE_FALSE(connector.Connect(address, clients.back()));
      }
      REQUIRE(Eventually([&] {
        const std::lock_guard lock(mutex);
        return service->Stats().sessions == 4 && clients[0]->WasConnected();
      }));
      clients[0]->SendText("die");
      CHECK(Eventually([&] { return destroyed.load() && ended == 4; }));
      for (const TestSessionRef& client : clients)
        CHECK(Eventually([&] { return client->Ended(); }));
      // The thread of that hook is on its own now, and lets go of everything as it ends.
      CHECK(Eventually([&] { return gone.load(); }));
      connector.Stop(milliseconds::zero());
      CHECK(connector.WaitStopped().complete);
      client_core->Stop();
      clients.clear();
      CHECK(Eventually([&] { return TestSession::alive_count == 0; }));
    }
  }
}

TEST_CASE("a core is destroyed while sessions live: they end with a reset", "[service][stop]") {
  for (const Backend backend : RealBackends()) {
    DYNAMIC_SECTION(ToString(backend)) {
      const auto client_core = std::make_shared<IocpCore>(CoreOptions{1, backend});
      REQUIRE_FALSE(client_core->Run());
      Connector connector(client_core);
      auto client = std::make_shared<TestSession>();
      auto server = std::make_shared<TestSession>();
      auto core = std::make_shared<IocpCore>(CoreOptions{2, backend});
      REQUIRE_FALSE(core->Run());
      auto service = std::make_unique<Service>(
          core, std::make_shared<Listener>("127.0.0.1", 0), [&] { return server; }, 4);
      REQUIRE_FALSE(service->Start());
      REQUIRE_FALSE(connector.Connect(service->LocalEndpoint(), client));
      REQUIRE(Eventually([&] { return server->WasConnected() && client->WasConnected(); }));
      core->Stop();
      CHECK(server->Ended());
      CHECK(server->Info().reason == CloseReason::kServiceStopping);
      CHECK(Eventually([&] { return client->Ended(); }));
      CHECK(client->Info().reason == CloseReason::kPeerReset);
      service->Stop(milliseconds(1'000));
      CHECK(service->WaitStopped().complete);
      service.reset();
      core.reset();
      CHECK(server->SendText("x") == SendResult::kClosing);
    }
  }
}

TEST_CASE("stopping one of two services on a core does not disturb the other", "[service][stop]") {
  OnAllBackends({}, [](World& world) {
    const World::Pair pair = world.ConnectPair();
    std::vector<TestSessionRef> others;
    std::mutex mutex;
    Service other(
        world.core, std::make_shared<Listener>("127.0.0.1", 0),
        [&]() -> std::shared_ptr<Session> {
          const std::lock_guard lock(mutex);
          others.push_back(std::make_shared<TestSession>());
          return others.back();
        },
        4);
    REQUIRE_FALSE(other.Start());
    auto client = std::make_shared<TestSession>();
    REQUIRE_FALSE(world.connector->Connect(other.LocalEndpoint(), client));
    REQUIRE(world.WaitFor([&] { return other.Stats().sessions == 1 && client->WasConnected(); }));
    other.Stop(milliseconds::zero());
    CHECK(other.WaitStopped().complete);
    CHECK(world.WaitFor([&] { return client->Ended(); }));
    CHECK(client->Info().reason == CloseReason::kPeerReset);
    CHECK_FALSE(pair.server->Ended());
    pair.server->SendText("still here");
    CHECK(world.WaitFor([&] { return pair.client->Received() == "still here"; }));
    world.ConnectPair();
  });
}

TEST_CASE("a stop gives up when a hook never returns, and says how many are left",
          "[service][stop]") {
  const Backend backend = RealBackends().front();
  std::atomic<bool> release{false};
  std::atomic<bool> inside{false};
  const auto client_core = std::make_shared<IocpCore>(CoreOptions{1, backend});
  REQUIRE_FALSE(client_core->Run());
  Connector connector(client_core);
  Hooks hooks;
  hooks.on_connected = [&](TestSession&) {
    inside = true;
    while (!release) std::this_thread::yield();
  };
  ServiceOptions options;
  options.address = "127.0.0.1";
  options.core.backend = backend;
  options.core.threads = 1;
  options.core.hook_time_limit = milliseconds::zero();
  options.factory = [&]() -> std::shared_ptr<Session> {
    return std::make_shared<TestSession>(hooks);
  };
  Service service(std::move(options));
  REQUIRE_FALSE(service.Start());
  auto client = std::make_shared<TestSession>();
  REQUIRE_FALSE(connector.Connect(service.LocalEndpoint(), client));
  REQUIRE(Eventually([&] { return inside.load(); }));
  service.Stop(milliseconds::zero());
  // Should WaitStopped hang, the hook returns at last and the check fails.
  std::atomic<bool> returned{false};
  std::thread rescue([&] {
    Eventually([&] { return returned.load(); }, milliseconds(15'000));
    release = true;
  });
  const StopReport report = service.WaitStopped();
  CHECK_FALSE(release);
  CHECK_FALSE(report.complete);
  CHECK(report.sessions_left == 1);
  returned = true;
  rescue.join();
  CHECK(Eventually([&] { return service.WaitStopped().complete; }));
}

}  // namespace
}  // namespace netcore::test
