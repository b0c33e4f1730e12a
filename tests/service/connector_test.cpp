// Connects that fail, take too long, are given up, or come at a bad time.
#include <chrono>
#include <iostream>

#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

TEST_CASE("a refused connect gets OnDisconnected alone, and the error names the address",
          "[connector]") {
  OnAllBackends({}, [](World& world) {
    World::Pair pair = world.ConnectPair();
    const Endpoint gone = world.Address();
    world.service->Stop(milliseconds::zero());
    CHECK(world.service->WaitStopped().complete);
    auto client = std::make_shared<TestSession>();
    REQUIRE_FALSE(world.connector->Connect(gone, client));
    REQUIRE(world.WaitFor([&] { return client->Ended(); }));
    CHECK(client->Trace() == "D");
    CHECK(client->Info().reason == CloseReason::kConnectFailed);
    CHECK(client->Info().error == ErrorCode::kConnectionRefused);
    CHECK(client->Info().error.Message().find(gone.ToString()) != std::string::npos);
    CHECK(client->PeerEndpoint() == gone);
    CHECK(world.connector->Stats().Ended(CloseReason::kConnectFailed) == 1);
    CHECK(world.connector->Stats().total_sessions == 1);
  });
}

// Nobody accepts on `listener`: once its backlog is full a connect waits.
struct FullListener {
  explicit FullListener(World& world) {
    std::shared_ptr<PortFactory> factory;
    REQUIRE_FALSE(world.core->OpenFactory(factory));
    REQUIRE_FALSE(factory->Listen(Endpoint::LoopbackIpv4(0), {}, socket, address));
    for (std::size_t i = 0; i < MemoryNet::kBacklog; ++i) {
      fillers.push_back(std::make_shared<TestSession>());
      REQUIRE_FALSE(world.connector->Connect(address, fillers.back()));
    }
    REQUIRE(world.WaitFor([&] { return fillers.back()->WasConnected(); }));
  }
  OwnedSocket socket;
  Endpoint address;
  std::vector<TestSessionRef> fillers;
};

TEST_CASE("a connect that takes too long ends with kTimedOut, in time", "[connector]") {
  WorldOptions options;
  options.connect_timeout = milliseconds(2'000);
  OnMemory(options, [](World& world) {
    const FullListener full(world);
    auto client = std::make_shared<TestSession>();
    REQUIRE_FALSE(world.connector->Connect(full.address, client));
    world.RunFor(milliseconds(1'900));
    CHECK_FALSE(client->Ended());
    CHECK(world.WaitFor([&] { return client->Ended(); }, milliseconds(200)));
    CHECK(client->Trace() == "D");
    CHECK(client->Info().reason == CloseReason::kTimedOut);
    CHECK(client->Info().error == ErrorCode::kTimedOut);
    CHECK(client->Info().error.Message().find(full.address.ToString()) != std::string::npos);
  });
}

TEST_CASE("a session whose connect took most of its time has no deadline left of it",
          "[connector]") {
  WorldOptions options;
  options.connect_timeout = milliseconds(1'000);
  OnMemory(options, [](World& world) {
    const World::Pair pair = world.ConnectPair();
    world.RunFor(milliseconds(5'000));
    CHECK_FALSE(pair.client->Ended());
  });
}

TEST_CASE("a disconnect gives a connect up, with its own reason", "[connector]") {
  const Closing closing = GENERATE(Closing::kGraceful, Closing::kAbort);
  const bool later = GENERATE(true, false);
  OnMemory({}, [&](World& world) {
    const FullListener full(world);
    auto client = std::make_shared<TestSession>();
    REQUIRE_FALSE(world.connector->Connect(full.address, client));
    if (later) world.RunFor(milliseconds(100));
    CHECK(client->SendText("x") == SendResult::kClosing);
    client->Disconnect(CloseReason::kKicked, closing);
    REQUIRE(world.WaitFor([&] { return client->Ended(); }, milliseconds(100)));
    CHECK(client->Trace() == "D");
    CHECK(client->Info().reason == CloseReason::kKicked);
  });
}

TEST_CASE("a stop of the connector gives its connects up", "[connector]") {
  const milliseconds deadline{GENERATE(0, 5'000)};
  const bool later = GENERATE(true, false);
  OnMemory({}, [&](World& world) {
    const FullListener full(world);
    auto client = std::make_shared<TestSession>();
    REQUIRE_FALSE(world.connector->Connect(full.address, client));
    if (later) world.RunFor(milliseconds(100));
    world.connector->Stop(deadline);
    REQUIRE(world.WaitFor([&] { return client->Ended(); }, milliseconds(100)));
    CHECK(client->Trace() == "D");
    CHECK(client->Info().reason == CloseReason::kServiceStopping);
    for (const TestSessionRef& filler : full.fillers)
      CHECK(world.WaitFor([&] { return filler->Ended(); }, deadline + milliseconds(100)));
    const Error late = world.connector->Connect(full.address, std::make_shared<TestSession>());
    CHECK(late == ErrorCode::kStopped);
    CHECK(late.Message().find(full.address.ToString()) != std::string::npos);
  });
}

TEST_CASE("connects raced by disconnects from other threads end once", "[connector]") {
  OnRealBackends({}, [](World& world) {
    std::vector<TestSessionRef> clients;
    for (int i = 0; i < 300; ++i) {
      auto client = std::make_shared<TestSession>();
      std::thread breaker;
      REQUIRE_FALSE(world.connector->Connect(world.Address(), client));
      breaker = std::thread([client, i] {
        for (int spin = 0; spin < i % 7; ++spin) std::this_thread::yield();
        client->Disconnect(CloseReason::kKicked, i % 2 == 0 ? Closing::kGraceful : Closing::kAbort);
      });
      breaker.join();
      clients.push_back(client);
    }
    for (const TestSessionRef& client : clients) {
      REQUIRE(world.WaitFor([&] { return client->Ended(); }));
      CHECK(client->Violation() == "");
      CHECK(client->Info().reason == CloseReason::kKicked);
    }
  });
}

TEST_CASE("a stop before the first connect is not lost", "[connector]") {
  OnRealBackends({}, [](World& world) {
    Connector connector(world.core);
    connector.Stop(milliseconds::zero());
    CHECK(connector.WaitStopped().complete);
    CHECK(connector.Connect(world.Address(), std::make_shared<TestSession>()) ==
          ErrorCode::kStopped);
  });
}

TEST_CASE("connects raced by a stop all end, and the stop is complete", "[connector]") {
  OnRealBackends({}, [](World& world) {
    for (int round = 0; round < 40; ++round) {
      Connector connector(world.core);
      std::mutex mutex;
      std::vector<TestSessionRef> begun;
      std::atomic<int> tries{0};
      std::vector<std::thread> threads;
      for (int index = 0; index < 2; ++index) {
        threads.emplace_back([&] {
          for (int count = 0; count < 50'000; ++count) {
            auto client = std::make_shared<TestSession>();
            ++tries;
            if (connector.Connect(world.Address(), client)) return;
            const std::lock_guard lock(mutex);
            begun.push_back(client);
          }
        });
      }
      REQUIRE(Eventually([&] { return tries > round % 10; }));
      connector.Stop(milliseconds::zero());
      const StopReport report = connector.WaitStopped();
      for (std::thread& thread : threads) thread.join();
      REQUIRE(report.complete);
      REQUIRE(report.sessions_left == 0);
      for (const TestSessionRef& client : begun) {
        REQUIRE(world.WaitFor([&] { return client->Ended(); }));
        CHECK(client->Violation() == "");
      }
    }
  });
}

TEST_CASE("a connect from inside a hook works, also in OnDisconnected", "[connector]") {
  OnAllBackends({}, [](World& world) {
    auto second = std::make_shared<TestSession>();
    Hooks hooks;
    std::atomic<bool> begun{false};
    hooks.on_disconnected = [&](TestSession& session, const CloseInfo&) {
      begun = !world.connector->Connect(session.PeerEndpoint(), second);
    };
    const World::Pair pair = world.ConnectPair(hooks);
    pair.client->Disconnect();
    // The hook may still be at it when the second one is there already.
    CHECK(world.WaitFor([&] { return begun && second->WasConnected(); }));
  });
}

// A bot that reconnects for ever, and so does not let its worker empty.
class Restless final : public Session {
 public:
  explicit Restless(std::weak_ptr<Connector> connector) : connector_(std::move(connector)) {}

 private:
  void OnDisconnected(const CloseInfo&) override {
    if (const auto connector = connector_.lock())
      static_cast<void>(connector->Connect(PeerEndpoint(), std::make_shared<Restless>(connector_)));
  }
  const std::weak_ptr<Connector> connector_;
};

TEST_CASE("a core stops although its sessions reconnect whenever they end", "[connector]") {
  OnAllBackends({}, [](World& world) {
    for (int i = 0; i < 10; ++i) {
      REQUIRE_FALSE(
          world.connector->Connect(world.Address(), std::make_shared<Restless>(world.connector)));
    }
    REQUIRE(world.WaitFor([&] { return world.connector->Stats().total_sessions >= 10; }));
    world.core->Stop();
    CHECK(world.log.Count("did not end") == 0);
    CHECK(world.connector->Stats().sessions == 0);
  });
}

TEST_CASE("how long a core's stop takes while its sessions reconnect", "[.prove][connector]") {
  OnRealBackends({}, [](World& world) {
    for (int i = 0; i < 10; ++i) {
      REQUIRE_FALSE(
          world.connector->Connect(world.Address(), std::make_shared<Restless>(world.connector)));
    }
    REQUIRE(world.WaitFor([&] { return world.connector->Stats().total_sessions >= 10; }));
    const auto begin = std::chrono::steady_clock::now();
    world.core->Stop();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    std::cout << "figure: " << world.core->BackendName()
              << ", a stop while 10 sessions reconnect = " << took.count() << " ms\n";
  });
}

TEST_CASE("what can't be connected is an error at once and no hook comes", "[connector]") {
  OnMemory({}, [](World& world) {
    auto client = std::make_shared<TestSession>();
    CHECK(world.connector->Connect(Endpoint(), client) == ErrorCode::kInvalidArgument);
    CHECK(world.connector->Connect(Endpoint::LoopbackIpv4(0), client) ==
          ErrorCode::kInvalidArgument);
    CHECK(world.connector->Connect(world.Address(), nullptr) == ErrorCode::kInvalidArgument);
    const World::Pair pair = world.ConnectPair();
    CHECK(world.connector->Connect(world.Address(), pair.client) == ErrorCode::kInvalidArgument);
    Connector without_core(nullptr);
    CHECK(without_core.Connect(world.Address(), client) == ErrorCode::kInvalidArgument);
    world.RunFor(milliseconds(20));
    CHECK(client->Trace() == "");
  });
}

}  // namespace
}  // namespace netcore::test
