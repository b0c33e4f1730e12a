// The contract suite: Dispatch, its time limit, Wake, and which backends there are.
#include <algorithm>
#include <atomic>
#include <mutex>

#include "tests/port/contract_fixture.h"
#include "tests/support/skip.h"

namespace netcore::contract {
namespace {

// A system's timer may come that much early.
constexpr Duration kClockGrain = milliseconds(16);

TEST_CASE("the backends that this system must have are here", "[contract][backends]") {
  std::vector<std::string> names;
  for (const auto& factory : Backends()) names.emplace_back(factory->Name());
  const auto has = [&](const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  // IOCP is Windows' only one, and epoll is on every Linux; io_uring may be denied.
  CHECK(has("iocp") != has("epoll"));
  CHECK(has("memory"));
  if (has("epoll") && !has("io_uring")) {
    NoteSkipped("no io_uring on this machine: its port is not tested");
  }
  for (const Backend backend : {Backend::kIocp, Backend::kIoUring, Backend::kEpoll}) {
    std::unique_ptr<PortFactory> factory;
    const Error error = MakePortFactory(backend, std::make_shared<const Log>(), factory);
    INFO(error.Message());
    CHECK((factory != nullptr) == !error);
    if (factory != nullptr) CHECK(factory->Name() == ToString(backend));
  }
}

TEST_CASE("Dispatch waits as long as it was told when nothing happens", "[contract][dispatch]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(1);
    harness.RunFor(milliseconds(5));
    for (const Duration timeout : {Duration(milliseconds(30)), Duration(milliseconds(60))}) {
      const TimePoint begin = harness.Port().Now();
      std::size_t rounds = 0;
      while (harness.Port().Now() - begin < timeout - kClockGrain && rounds < 1000) {
        CHECK(harness.Dispatch(timeout - (harness.Port().Now() - begin)) == 0);
        ++rounds;
      }
      CHECK(rounds <= 3);
    }
    CHECK(acceptor.accepted.empty());
  });
}

TEST_CASE("waits of other lengths, cut short or not, end when they should",
          "[contract][dispatch]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(1);
    harness.RunFor(milliseconds(5));
    // A long one that is cut short; then shorter ones and longer ones, which its end must neither
    // put off nor cut short.
    const TimePoint end_of_the_long_one = harness.Port().Now() + std::chrono::seconds(20);
    harness.Port().Wake();
    CHECK(harness.Dispatch(std::chrono::seconds(20)) == 0);
    for (const int length : {200, 70, 150, 60, 20, 120}) {
      const Duration timeout = milliseconds(length);
      const TimePoint begin = harness.Port().Now();
      Duration waited{};
      std::size_t rounds = 0;
      do {
        CHECK(harness.Dispatch(timeout - waited) == 0);
        waited = harness.Port().Now() - begin;
      } while (++rounds < 1000 && waited < timeout - kClockGrain);
      CAPTURE(length, waited.count());
      CHECK(rounds <= 3);
      CHECK(harness.Port().Now() < end_of_the_long_one);
    }
    CHECK(acceptor.accepted.empty());
  });
}

TEST_CASE("Dispatch without a wait returns at once", "[contract][dispatch]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    harness.RunFor(milliseconds(5));
    // Some of many rounds meet nothing else that takes the processor. A single one may be short for
    // another reason: what ended a wait before it.
    int short_rounds = 0;
    for (int round = 0; round < 20'000 && short_rounds <= 100; ++round) {
      const TimePoint begin = harness.Port().Now();
      CHECK(harness.Dispatch(Duration::zero()) == 0);
      if (harness.Port().Now() - begin < std::chrono::microseconds(900)) ++short_rounds;
    }
    CHECK(short_rounds > 100);
  });
}

TEST_CASE("Dispatch with a wait below a millisecond still lets time pass", "[contract][dispatch]") {
  ForEachBackend([](Harness& harness) {
    const TimePoint begin = harness.Port().Now();
    std::size_t rounds = 0;
    while (harness.Port().Now() - begin < milliseconds(5) && rounds < 100000) {
      harness.Dispatch(std::chrono::microseconds(300));
      ++rounds;
    }
    CHECK(rounds < 100);
  });
}

TEST_CASE("a busy port does not believe for ever that a time has not come",
          "[contract][dispatch]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    CompletionPort& port = harness.Port();
    CHECK(port.IsKnownBefore(kNever));
    CHECK_FALSE(port.IsKnownBefore(port.Now()));

    // A wait that is cut short leaves its end behind, when those before it have gone off.
    const bool has_timer = harness.Name() == "epoll" || harness.Name() == "io_uring";
    bool is_known = false;
    for (const TimePoint limit = port.Now() + kLimit; !is_known && port.Now() < limit;) {
      port.Wake();
      harness.Dispatch(std::chrono::seconds(20));
      is_known = port.IsKnownBefore(port.Now() + std::chrono::seconds(20));
      if (!has_timer) break;
    }
    CHECK(is_known == has_timer);

    port.Wake();
    harness.Dispatch(milliseconds(100));
    const TimePoint deadline = port.Now() + milliseconds(100);
    while (port.IsKnownBefore(deadline)) {
      REQUIRE(port.Now() < deadline + kLimit);
      if (!client.send.Waits()) client.Send("busy");
      harness.Dispatch(Duration::zero());
    }
    CHECK_FALSE(port.IsKnownBefore(port.Now()));
  });
}

TEST_CASE("Dispatch waits for ever for what does come", "[contract][dispatch]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    client.Send("now");
    while (server.received.empty()) REQUIRE(harness.Dispatch(Duration::max()) > 0);
    CHECK(server.received == "now");
  });
}

TEST_CASE("a wake before Dispatch is not lost", "[contract][dispatch][wake]") {
  ForEachBackend([](Harness& harness) {
    for (int count = 0; count < 20; ++count) {
      harness.Port().Wake();
      harness.Port().Wake();
      const TimePoint begin = harness.Port().Now();
      CHECK(harness.Dispatch(kLimit) == 0);
      CHECK(harness.Port().Now() - begin < kLimit / 2);
    }
  });
}

TEST_CASE("wakes that came together do not keep Dispatch from waiting later",
          "[contract][dispatch][wake]") {
  ForEachBackend([](Harness& harness) {
    for (int count = 0; count < 100; ++count) harness.Port().Wake();
    const TimePoint begin = harness.Port().Now();
    std::size_t rounds = 0;
    while (harness.Port().Now() - begin < milliseconds(100) && rounds < 10000) {
      harness.Dispatch(milliseconds(50));
      ++rounds;
    }
    CHECK(rounds <= 104);  // at the very worst one a wake
  });
}

TEST_CASE("a wake from another thread ends a Dispatch that waits", "[contract][dispatch][wake]") {
  constexpr bool kWithMemory = false;  // it has one thread
  ForEachBackend(
      [](Harness& harness) {
        std::atomic<int> asked{0};
        std::atomic<bool> done{false};
        std::thread waker([&, &port = harness.Port()] {
          for (int seen = 0; !done.load();) {
            if (asked.load() == seen) {
              std::this_thread::yield();
              continue;
            }
            ++seen;
            port.Wake();
          }
        });
        for (int count = 1; count <= 200; ++count) {
          asked.store(count);
          const TimePoint begin = harness.Port().Now();
          harness.Dispatch(kLimit);
          const bool late = harness.Port().Now() - begin > kLimit / 2;
          if (late) CHECK_FALSE(late);
        }
        done.store(true);
        waker.join();
      },
      kWithMemory);
}

TEST_CASE("wakes do not disturb what completes", "[contract][dispatch][wake]") {
  constexpr bool kWithMemory = false;
  ForEachBackend(
      [](Harness& harness) {
        const std::string bytes = RandomBytes(4 * 1024 * 1024, 30);
        auto [client, server] = harness.NewPair();
        std::atomic<bool> done{false};
        std::vector<std::thread> wakers;
        for (int count = 0; count < 2; ++count) {
          wakers.emplace_back([&, &port = harness.Port()] {
            while (!done.load()) {
              port.Wake();
              std::this_thread::yield();
            }
          });
        }
        server.Recv();
        client.SendAll(bytes);
        const TimePoint end = harness.Port().Now() + kLimit;
        while (server.received.size() < bytes.size() && harness.Port().Now() < end)
          harness.Dispatch(milliseconds(10));
        done.store(true);
        for (std::thread& waker : wakers) waker.join();
        CHECK(SameBytes(server.received, bytes));
      },
      kWithMemory);
}

TEST_CASE("a completion stream that feeds itself does not keep Dispatch from returning",
          "[contract][dispatch]") {
  ForEachBackend([](Harness& harness) {
    // Each final completion submits and cancels again: there is always one more.
    auto [client, server] = harness.NewPair();
    server.hook = [&side = server](Op&, IoResult& result) {
      if (result.more) return;
      side.Recv();
      side.Cancel(side.recv);
    };
    server.Recv();
    server.Cancel(server.recv);
    std::size_t most = 0;
    for (int round = 0; round < 50; ++round)
      most = std::max(most, harness.Dispatch(milliseconds(20)));
    CHECK(most > 0);
    CHECK(most <= 1024);
    server.hook = nullptr;
  });
}

TEST_CASE("work that is always ready does not starve what arrives", "[contract][dispatch]") {
  ForEachBackend([](Harness& harness) {
    auto [busy_client, busy_server] = harness.NewPair();
    auto [client, server] = harness.NewPair();
    busy_server.hook = [&side = busy_server](Op&, IoResult& result) {
      if (result.more) return;
      side.Recv();
      side.Cancel(side.recv);
    };
    busy_server.Recv();
    busy_server.Cancel(busy_server.recv);
    server.Recv();
    for (std::size_t count = 1; count <= 100; ++count) {
      client.Send("x");
      std::size_t rounds = 0;
      while ((server.received.size() < count || client.send.Waits()) && rounds < 2000) {
        harness.Dispatch(milliseconds(1));
        ++rounds;
      }
      REQUIRE(server.received.size() == count);
    }
    busy_server.hook = nullptr;
  });
}

TEST_CASE("five hundred idle streams cost nothing, and each still works", "[contract][dispatch]") {
  ForEachBackend([](Harness& harness) {
    std::vector<Pair> pairs;
    for (int count = 0; count < 500; ++count) {
      pairs.push_back(harness.NewPair());
      pairs.back().server.Recv();
    }
    harness.RunFor(milliseconds(5));
    const TimePoint begin = harness.Port().Now();
    std::size_t rounds = 0;
    while (harness.Port().Now() - begin < milliseconds(100) && rounds < 1000) {
      harness.Dispatch(milliseconds(50));
      ++rounds;
    }
    CHECK(rounds <= 10);
    for (std::size_t index = 0; index < pairs.size(); ++index)
      pairs[index].client.Send(std::to_string(index));
    std::size_t wrong = 0;
    for (std::size_t index = 0; index < pairs.size(); ++index) {
      const std::string expected = std::to_string(index);
      harness.RunUntil("its bytes",
                       [&] { return pairs[index].server.received.size() >= expected.size(); });
      wrong += pairs[index].server.received == expected ? 0 : 1;
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("a port made on one thread works on another", "[contract][dispatch][threads]") {
  ForEachBackend([](Harness& harness) {
    std::unique_ptr<CompletionPort> port;
    REQUIRE_FALSE(harness.Factory().MakePort(port));
    port->Wake();
    std::string received;
    bool woken = false;
    std::thread worker([&] {
      Harness own(harness.Factory(), std::move(port));
      woken = own.Dispatch(std::chrono::seconds(20)) == 0;
      auto [client, server] = own.NewPair();
      server.Recv();
      client.Send("over here");
      own.RunUntil("the bytes", [&, &side = server] { return side.received.size() == 9; });
      received = server.received;
      own.Finish();
    });
    worker.join();
    CHECK(woken);
    CHECK(received == "over here");
  });
}

TEST_CASE("one thread accepts, another one serves", "[contract][dispatch][wake][threads]") {
  constexpr bool kWithMemory = false;
  ForEachBackend(
      [](Harness& harness) {
        constexpr std::size_t kClients = 40;
        std::mutex mutex;
        std::vector<OwnedSocket> handed_over;
        std::atomic<CompletionPort*> served_by{nullptr};
        std::atomic<bool> done{false};
        std::atomic<bool> woken_last{false};
        std::size_t served = 0;
        std::thread server_thread([&] {
          Harness own(harness.Factory());
          served_by.store(&own.Port());
          while (!done.load()) {
            own.Dispatch(std::chrono::seconds(20));  // only a wake or bytes end it
            const std::lock_guard lock(mutex);
            for (OwnedSocket& socket : handed_over) {
              Side& side = own.NewSide();
              side.Adopt(std::move(socket));
              side.hook = [&side](Op& op, IoResult& result) {
                if (&op != &side.recv || !result.more) return;
                if (!side.send.Waits()) side.Send(std::string(result.data.size(), 'e'));
              };
              side.Recv();
              ++served;
            }
            handed_over.clear();
          }
          while (!woken_last.load()) std::this_thread::yield();  // Wake needs the port to exist
          own.Finish();
        });
        while (served_by.load() == nullptr) std::this_thread::yield();
        Acceptor& acceptor = harness.NewAcceptor(4);
        std::vector<Side*> clients;
        for (std::size_t count = 0; count < kClients; ++count) {
          clients.push_back(&harness.NewSide());
          clients.back()->Open();
          clients.back()->Connect(acceptor.bound);
        }
        const TimePoint end = harness.Port().Now() + kLimit;
        std::size_t echoed = 0;
        while (echoed < kClients && harness.Port().Now() < end) {
          harness.Dispatch(milliseconds(10));
          for (Side* client : clients) {
            if (client->recv.submits > 0 || client->connect.Waits()) continue;
            client->Recv();
            client->Send("hello");
          }
          if (!acceptor.accepted.empty()) {
            {
              const std::lock_guard lock(mutex);
              for (auto& connection : acceptor.accepted)
                handed_over.push_back(std::move(connection.socket));
            }
            acceptor.accepted.clear();
            served_by.load()->Wake();
          }
          echoed = 0;
          for (const Side* client : clients) echoed += client->received == "eeeee" ? 1 : 0;
        }
        done.store(true);
        served_by.load()->Wake();
        woken_last.store(true);
        server_thread.join();
        CHECK(echoed == kClients);
        CHECK(served == kClients);
      },
      kWithMemory);
}

TEST_CASE("ports come and go", "[contract][dispatch]") {
  ForEachBackend([](Harness& harness) {
    for (int count = 0; count < 50; ++count) {
      std::unique_ptr<CompletionPort> unused;
      REQUIRE_FALSE(harness.Factory().MakePort(unused));
      if (count % 2 == 0) unused->Wake();
      if (count % 3 == 0) continue;  // destroyed before any thread was attached
      REQUIRE_FALSE(unused->AttachThread());
      unused->Wake();
      if (count % 3 == 1) CHECK(unused->Dispatch(Duration::zero()) == 0);
    }
    auto [client, server] = harness.NewPair();
    server.Recv();
    client.Send("fine");
    harness.RunUntil("the bytes", [&] { return server.received == "fine"; });
  });
}

}  // namespace
}  // namespace netcore::contract
