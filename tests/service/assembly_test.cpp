// The assembly that IOCP developers know, with threads that are the caller's.
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

class GameSession : public Session {
 protected:
  void OnRecv(std::span<std::byte> bytes) override { Send(bytes); }
};

// Threads that do what a program's own would.
class Threads {
 public:
  explicit Threads(std::shared_ptr<IocpCore> core) : core_(std::move(core)) {}
  ~Threads() { Join(); }

  void Add(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      threads_.emplace_back([this] {
        while (core_->Dispatch() != DispatchStatus::kStopped) {
        }
        ++stopped_;
      });
    }
  }
  void Join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  std::size_t StoppedCount() const { return stopped_; }

 private:
  const std::shared_ptr<IocpCore> core_;
  std::vector<std::thread> threads_;
  std::atomic<std::size_t> stopped_{0};
};

void CheckEcho(Connector& connector, const Endpoint& address, int sessions) {
  std::vector<TestSessionRef> clients;
  for (int i = 0; i < sessions; ++i) {
    clients.push_back(std::make_shared<TestSession>());
    REQUIRE_FALSE(connector.Connect(address, clients.back()));
  }
  for (const TestSessionRef& client : clients) {
    REQUIRE(Eventually([&] { return client->WasConnected(); }));
    client->SendText("echo");
  }
  for (const TestSessionRef& client : clients)
    REQUIRE(Eventually([&] { return client->Received() == "echo"; }));
  for (const TestSessionRef& client : clients) client->Disconnect();
  for (const TestSessionRef& client : clients) REQUIRE(Eventually([&] { return client->Ended(); }));
}

TEST_CASE("the assembly of IOCP servers compiles and works with five threads that loop on Dispatch",
          "[service][assembly]") {
  const auto service =
      std::make_shared<Service>(std::make_shared<IocpCore>(), std::make_shared<Listener>(0),
                                std::make_shared<GameSession>, 100);
  REQUIRE_FALSE(service->Start());
  std::vector<std::thread> threads;
  for (int i = 0; i < 5; ++i) {
    threads.emplace_back([service] {
      while (service->GetIocpCore()->Dispatch() != DispatchStatus::kStopped) {
      }
    });
  }
  Connector connector(service->GetIocpCore());
  CheckEcho(connector, Endpoint::LoopbackIpv4(service->LocalEndpoint().Port()), 20);
  service->Stop(milliseconds(1'000));
  CHECK(service->WaitStopped().complete);
  connector.Stop(milliseconds::zero());
  CHECK(connector.WaitStopped().complete);
  service->GetIocpCore()->Stop();
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("fewer threads than workers strand nobody, more wait their turn", "[service][assembly]") {
  const std::size_t workers = 4;
  const std::size_t count =
      GENERATE(std::size_t{1}, std::size_t{2}, std::size_t{4}, std::size_t{7});
  for (const Backend backend : RealBackends()) {
    DYNAMIC_SECTION(ToString(backend) << ", " << count << " threads") {
      const auto core = std::make_shared<IocpCore>(CoreOptions{workers, backend});
      Threads threads(core);
      Service service(core, std::make_shared<Listener>("127.0.0.1", 0), MakeSession<GameSession>,
                      8);
      REQUIRE_FALSE(service.Start());
      CHECK(core->WorkerCount() == workers);
      threads.Add(count);
      Connector connector(core);
      CheckEcho(connector, service.LocalEndpoint(), 30);
      service.Stop(milliseconds(1'000));
      CHECK(service.WaitStopped().complete);
      connector.Stop(milliseconds::zero());
      CHECK(connector.WaitStopped().complete);
      CHECK(threads.StoppedCount() == 0);
      core->Stop();
      threads.Join();
      CHECK(threads.StoppedCount() == count);
    }
  }
}

TEST_CASE("a thread that ends before the stop ends its sessions and says so while the others go on",
          "[service][assembly]") {
  for (const Backend backend : RealBackends()) {
    DYNAMIC_SECTION(ToString(backend)) {
      LogLines log;
      CoreOptions options{2, backend, log.Sink()};
      const auto core = std::make_shared<IocpCore>(options);
      REQUIRE_FALSE(core->Open());
      Threads threads(core);
      std::atomic<bool> leave{false};
      std::thread quitter;
      // The first to dispatch gets the first worker; then the listener goes to the other.
      std::atomic<bool> dispatched{false};
      quitter = std::thread([&] {
        while (!leave) {
          static_cast<void>(core->Dispatch(milliseconds(5)));
          dispatched = true;
        }
      });
      REQUIRE(Eventually([&] { return dispatched.load(); }));
      Connector connector(core);
      auto doomed = std::make_shared<TestSession>();
      Service doomed_service(core, std::make_shared<Listener>("127.0.0.1", 0),
                             MakeSession<GameSession>, 4);
      REQUIRE_FALSE(doomed_service.Start());
      REQUIRE_FALSE(connector.Connect(doomed_service.LocalEndpoint(), doomed));
      REQUIRE(Eventually([&] { return doomed->WasConnected(); }));
      leave = true;
      quitter.join();
      CHECK(doomed->Ended());
      CHECK(doomed->Info().reason == CloseReason::kServiceStopping);
      CHECK(log.Count("its thread ended") == 1);

      // The worker that is left, and that nobody has taken yet, is where everything goes now.
      Service service(core, std::make_shared<Listener>("127.0.0.1", 0), MakeSession<GameSession>,
                      4);
      REQUIRE_FALSE(service.Start());
      threads.Add(1);
      CheckEcho(connector, service.LocalEndpoint(), 10);
      for (Service* each : {&service, &doomed_service}) {
        each->Stop(milliseconds::zero());
        CHECK(each->WaitStopped().complete);
      }
      connector.Stop(milliseconds::zero());
      CHECK(connector.WaitStopped().complete);
      core->Stop();
      threads.Join();
    }
  }
}

TEST_CASE("a listener alone on a thread that ends is not lost without a word",
          "[service][assembly]") {
  LogLines log;
  CoreOptions options{1, RealBackends().front(), log.Sink()};
  const auto core = std::make_shared<IocpCore>(options);
  Service service(core, std::make_shared<Listener>("127.0.0.1", 0), MakeSession<GameSession>, 4);
  REQUIRE_FALSE(service.Start());
  std::thread([&] { static_cast<void>(core->Dispatch(milliseconds(100))); }).join();
  CHECK(log.Count("its thread ended") == 1);
}

TEST_CASE("a thread that serves a worker waits for a stop by dispatching", "[service][assembly]") {
  for (const Backend backend : RealBackends()) {
    DYNAMIC_SECTION(ToString(backend)) {
      const auto core = std::make_shared<IocpCore>(CoreOptions{1, backend});
      Service service(core, std::make_shared<Listener>("127.0.0.1", 0), MakeSession<GameSession>,
                      4);
      REQUIRE_FALSE(service.Start());
      Connector connector(core);
      auto client = std::make_shared<TestSession>();
      REQUIRE_FALSE(connector.Connect(service.LocalEndpoint(), client));
      const auto end = std::chrono::steady_clock::now() + kLimit;
      while (service.Stats().sessions == 0 && std::chrono::steady_clock::now() < end)
        static_cast<void>(core->Dispatch(milliseconds(10)));
      REQUIRE(service.Stats().sessions == 1);
      service.Stop(milliseconds(1'000));
      CHECK(service.WaitStopped().complete);
      connector.Stop(milliseconds::zero());
      CHECK(connector.WaitStopped().complete);
      core->Stop();
      CHECK(core->Dispatch() == DispatchStatus::kStopped);
    }
  }
}

}  // namespace
}  // namespace netcore::test
