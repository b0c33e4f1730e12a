// IocpCore: threads of its own and of the caller, time-outs, and the ways it ends.
#include "netcore/core/iocp_core.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

TEST_CASE("a dispatch with a time-out says when nothing came", "[core]") {
  for (const Backend backend : RealBackends()) {
    DYNAMIC_SECTION(ToString(backend)) {
      IocpCore core(CoreOptions{1, backend});
      CHECK(core.BackendName() == "");
      CHECK(core.Dispatch(milliseconds::zero()) == DispatchStatus::kTimedOut);
      CHECK(core.BackendName() == ToString(backend));
      const auto begin = std::chrono::steady_clock::now();
      CHECK(core.Dispatch(milliseconds(50)) == DispatchStatus::kTimedOut);
      CHECK(std::chrono::steady_clock::now() - begin >= milliseconds(49));
      CHECK(core.Dispatch(milliseconds(-5)) == DispatchStatus::kTimedOut);
      CHECK(core.Workers()->At(0).GetInbox()->Push([] {}));
      CHECK(core.Dispatch() == DispatchStatus::kHandled);

      // One more thread than workers: it waits its turn, and gives up in time.
      std::atomic<bool> timed_out{false};
      std::thread([&] {
        timed_out = core.Dispatch(milliseconds(20)) == DispatchStatus::kTimedOut;
      }).join();
      CHECK(timed_out);
    }
  }
}

TEST_CASE("a stop wakes threads that wait for ever, inside a worker and for one", "[core]") {
  for (const Backend backend : RealBackends()) {
    DYNAMIC_SECTION(ToString(backend)) {
      for (int round = 0; round < 20; ++round) {
        const auto core = std::make_shared<IocpCore>(CoreOptions{2, backend});
        REQUIRE_FALSE(core->Open());
        std::atomic<int> stopped{0};
        std::vector<std::thread> threads;
        for (int index = 0; index < 4; ++index) {
          threads.emplace_back([core, &stopped] {
            while (core->Dispatch() != DispatchStatus::kStopped) {
            }
            ++stopped;
          });
        }
        if (round % 2 == 0) std::this_thread::yield();
        core->Stop();
        core->Stop();
        for (std::thread& thread : threads) thread.join();
        CHECK(stopped == 4);
        CHECK(core->Dispatch() == DispatchStatus::kStopped);
        CHECK(core->Run() == ErrorCode::kStopped);
        CHECK(core->Open() == ErrorCode::kStopped);
      }
    }
  }
}

TEST_CASE("a core runs threads of its own, any number of times", "[core]") {
  for (const Backend backend : RealBackends()) {
    DYNAMIC_SECTION(ToString(backend)) {
      IocpCore core(CoreOptions{3, backend});
      REQUIRE_FALSE(core.Run());
      REQUIRE_FALSE(core.Run());
      CHECK(core.WorkerCount() == 3);
      std::atomic<int> ran{0};
      for (std::size_t index = 0; index < 3; ++index)
        CHECK(core.Workers()->At(index).GetInbox()->Push([&] { ++ran; }));
      CHECK(Eventually([&] { return ran == 3; }));
    }
  }
}

TEST_CASE("a core that was never opened stops and is destroyed", "[core]") {
  IocpCore core;
  core.Stop();
  CHECK(core.Workers() == nullptr);
  CHECK(core.WorkerCount() == 0);
  CHECK(core.Dispatch(milliseconds::zero()) == DispatchStatus::kStopped);
}

TEST_CASE("too many threads are an error", "[core]") {
  IocpCore core(CoreOptions{100'000});
  CHECK(core.Open() == ErrorCode::kInvalidArgument);
  CHECK(core.Dispatch(milliseconds::zero()) == DispatchStatus::kStopped);
}

TEST_CASE("a backend of another system is an error that names it", "[core]") {
  for (const Backend backend : {Backend::kIocp, Backend::kIoUring, Backend::kEpoll}) {
    if (IsSupported(backend)) continue;
    IocpCore core(CoreOptions{1, backend, [](LogLevel, std::string_view) {}});
    const Error error = core.Run();
    CHECK(error);
    CHECK(error.Message().find(std::string(ToString(backend))) != std::string::npos);
  }
}

TEST_CASE("a stop on the thread that serves the worker ends its sessions there and then",
          "[core]") {
  const bool destroy = GENERATE(true, false);
  World world(std::make_shared<MemoryFactory>(), {});
  const World::Pair pair = world.ConnectPair();
  if (destroy) {
    world.service.reset();
    world.connector.reset();
    world.core.reset();
  } else {
    world.core->Stop();
    CHECK(pair.client->Ended());
    CHECK(world.core->Dispatch() == DispatchStatus::kStopped);
  }
  CHECK(pair.client->Ended());
  CHECK(pair.server->Ended());
  CHECK(pair.server->Info().reason == CloseReason::kServiceStopping);
}

TEST_CASE("a core ends sessions with a reset, however long the worker slept before", "[core]") {
  for (const Backend backend : RealBackends()) {
    DYNAMIC_SECTION(ToString(backend)) {
      World clients(NewFactory(backend), {});
      World world(NewFactory(backend), {});
      auto client = std::make_shared<TestSession>();
      REQUIRE_FALSE(clients.connector->Connect(world.Address(), client));
      REQUIRE(Eventually([&] { return world.service->Stats().sessions == 1; }));
      REQUIRE(Eventually([&] { return client->WasConnected(); }));
      std::this_thread::sleep_for(milliseconds(50));
      world.core->Stop();
      CHECK(world.Servers().front()->Ended());
      CHECK(Eventually([&] { return client->Ended(); }));
      CHECK(client->Info().reason == CloseReason::kPeerReset);
      world.Finish();
      clients.Finish();
    }
  }
}

TEST_CASE("the last reference to a core is let go inside a hook", "[core]") {
  for (const Backend backend : RealBackends()) {
    DYNAMIC_SECTION(ToString(backend)) {
      std::atomic<bool> gone{false};
      CoreOptions options;
      options.threads = 2;
      options.port_factory = NewFactory(backend, gone);
      auto core = std::make_shared<IocpCore>(std::move(options));
      REQUIRE_FALSE(core->Run());
      std::mutex mutex;
      std::unique_ptr<Service> service;
      std::unique_ptr<Connector> connector;
      std::atomic<int> ended{0};
      std::atomic<bool> destroyed{false};
      Hooks hooks;
      hooks.on_disconnected = [&](TestSession&, const CloseInfo&) { ++ended; };
      Hooks client_hooks = hooks;
      client_hooks.on_recv = [&](TestSession&, std::span<std::byte>) {
        const std::lock_guard lock(mutex);
        service.reset();
        connector.reset();
        core.reset();
        destroyed = true;
      };
      hooks.on_connected = [](TestSession& session) { session.SendText("die"); };
      auto client = std::make_shared<TestSession>(client_hooks);
      {
        const std::lock_guard lock(mutex);
        service = std::make_unique<Service>(
            core, std::make_shared<Listener>("127.0.0.1", 0),
            [&]() -> std::shared_ptr<Session> { return std::make_shared<TestSession>(hooks); }, 4);
        connector = std::make_unique<Connector>(core);
        REQUIRE_FALSE(service->Start());
        REQUIRE_FALSE(connector->Connect(service->LocalEndpoint(), client));
      }
      CHECK(Eventually([&] { return destroyed && ended == 2; }));
      CHECK(Eventually([&] { return gone.load(); }));
      client.reset();
      CHECK(Eventually([&] { return TestSession::alive_count == 0; }));
    }
  }
}

TEST_CASE("one thread serves two cores in turn", "[core]") {
  World first(std::make_shared<MemoryFactory>(), {});
  World second(std::make_shared<MemoryFactory>(), {});
  const World::Pair a = first.ConnectPair();
  const World::Pair b = second.ConnectPair();
  a.client->SendText("a");
  b.client->SendText("b");
  CHECK(first.WaitFor([&] { return a.server->Received() == "a"; }));
  CHECK(second.WaitFor([&] { return b.server->Received() == "b"; }));
  first.Finish();
  b.client->SendText("b");
  CHECK(second.WaitFor([&] { return b.server->Received() == "bb"; }));
  second.Finish();
}

}  // namespace
}  // namespace netcore::test
