// Order: what happens before in the callers arrives before at the session, whichever threads they
// are.
#include <condition_variable>
#include <deque>
#include <optional>

#include "tests/support/start_line.h"
#include "tests/support/test_server.h"
#include "tests/support/turns.h"

namespace netcore::test {
namespace {

// Index of the first number that is not what its place says, or the count when all are right.
std::size_t FirstOutOfOrder(const std::string& text) {
  const std::size_t count = text.size() / sizeof(std::uint32_t);
  for (std::size_t i = 0; i < count; ++i) {
    if (NumberAt(text, i * sizeof(std::uint32_t)) != i) return i;
  }
  return count;
}

void CheckAllArrive(World& world, const World::Pair& pair, const Turns& turns) {
  CHECK(turns.Count() >= Turns::kFew);
  CHECK(world.WaitFor([&] { return pair.client->ReceivedBytes() == 4 * turns.Count(); }));
  CHECK(FirstOutOfOrder(pair.client->Received()) == turns.Count());
}

TEST_CASE("sends of a chain of hand-offs between threads arrive in the order of the chain",
          "[session][order]") {
  OnRealBackends(Unbounded(), [](World& world) {
    const World::Pair pair = world.ConnectPair();
    constexpr std::uint32_t kThreads = 3;
    Turns turns;
    std::vector<std::thread> threads;
    for (std::uint32_t index = 0; index < kThreads; ++index) {
      threads.emplace_back([&, index] {
        for (std::uint32_t mine = index; turns.Await(mine); mine += kThreads) {
          pair.server->SendText(Encode(mine));
          turns.Pass(mine);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CheckAllArrive(world, pair, turns);
  });
}

// A turn that goes round: whoever waits for it is told through a mutex, as by a job queue.
class LockedTurn {
 public:
  void WaitFor(std::uint32_t number) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return turn_ >= number; });
  }
  void Pass(std::uint32_t number) {
    const std::lock_guard lock(mutex_);
    turn_ = number;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint32_t turn_ = 0;
};

TEST_CASE("the session's own thread is a link of the chain, reached by Post", "[session][order]") {
  OnRealBackends(Unbounded(), [](World& world) {
    const World::Pair pair = world.ConnectPair();
    // other thread sends 2n, posts; the own thread sends 2n+1 there, and passes the turn back.
    Turns turns;
    std::thread other([&] {
      for (std::uint32_t number = 0; turns.Await(number); number += 2) {
        pair.server->SendText(Encode(number));
        if (!turns.Pass(number)) return;
        pair.server->Post([&, number] {
          pair.server->SendText(Encode(number + 1));
          turns.Pass(number + 1);
        });
      }
    });
    other.join();
    CheckAllArrive(world, pair, turns);
  });
}

TEST_CASE("the session's own thread is a link of the chain, by a lock taken inside a hook",
          "[session][order]") {
  // The peer's bytes make OnRecv run at any time; each hook takes its turn between two sends of the
  // other thread, which were made by mail. An overtaking send would show.
  LockedTurn turn;
  std::atomic<std::uint32_t> next_of_hook{1};
  WorldOptions options = Unbounded();
  constexpr std::uint32_t kCount = 10'000;
  options.hooks.on_recv = [&](TestSession& session, std::span<std::byte> bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const std::uint32_t mine = next_of_hook;
      turn.WaitFor(mine);
      session.SendText(Encode(mine));
      next_of_hook = mine + 2;
      turn.Pass(mine + 1);
    }
  };
  OnRealBackends(options, [&](World& world) {
    turn.Pass(0);
    next_of_hook = 1;
    const World::Pair pair = world.ConnectPair();
    const auto end = std::chrono::steady_clock::now() + Turns::kTime;
    std::size_t made = 0;
    std::thread other([&] {
      for (std::uint32_t number = 0; number < kCount; number += 2) {
        turn.WaitFor(number);
        pair.client->SendText("x");
        pair.server->SendText(Encode(number));
        turn.Pass(number + 1);
        made = number + 2;
        if (made >= Turns::kFew && std::chrono::steady_clock::now() >= end) return;
      }
    });
    other.join();
    CHECK(made >= Turns::kFew);
    CHECK(world.WaitFor([&] { return pair.client->ReceivedBytes() == 4 * made; }));
    CHECK(FirstOutOfOrder(pair.client->Received()) == made);
  });
}

TEST_CASE(
    "eight threads send on one session: each thread's order is kept, nothing is mixed or lost",
    "[session][order]") {
  constexpr std::size_t kThreads = 8;
  constexpr std::uint32_t kMessages = 5'000;
  OnRealBackends(Unbounded(), [&](World& world) {
    const World::Pair pair = world.ConnectPair();
    StartLine start(kThreads);
    std::atomic<std::size_t> total{0};
    std::vector<std::thread> threads;
    for (std::size_t index = 0; index < kThreads; ++index) {
      threads.emplace_back([&, index] {
        start.Wait();
        for (std::uint32_t number = 0; number < kMessages; ++number) {
          // thread, number, length, and as many bytes of the thread's own
          const std::size_t length = (number * 7 + index) % 97;
          std::string text = Encode(number);
          text.insert(text.begin(), static_cast<char>(index));
          text += static_cast<char>(length);
          text.append(length, static_cast<char>('a' + index));
          total += text.size();
          if (number % 2 == 0) {
            pair.server->SendText(text);
          } else {
            pair.server->Send(SendBuffer::Copy(AsBytes(text)));
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    REQUIRE(world.WaitFor([&] { return pair.client->ReceivedBytes() == total; }));
    const std::string got = pair.client->Received();
    std::uint32_t next[kThreads] = {};
    std::size_t at = 0;
    std::string fault;
    while (at < got.size() && fault.empty()) {
      const auto index = static_cast<std::size_t>(got[at]);
      if (index >= kThreads || at + 6 > got.size()) {
        fault = "not a message";
        break;
      }
      std::uint32_t number = 0;
      std::memcpy(&number, got.data() + at + 1, sizeof number);
      if (number != next[index]++) fault = "out of order";
      const auto length = static_cast<std::size_t>(got[at + 5]);
      if (got.substr(at + 6, length) != std::string(length, static_cast<char>('a' + index)))
        fault = "interleaved";
      at += 6 + length;
    }
    CHECK(fault == "");
    for (const std::uint32_t count : next) CHECK(count == kMessages);
    CHECK(world.WaitFor([&] { return pair.server->QueuedBytes() == 0; }));
  });
}

TEST_CASE("a disconnect from a thread comes behind the sends that happened before it",
          "[session][order]") {
  OnRealBackends({}, [](World& world) {
    for (int round = 0; round < 100; ++round) {
      const World::Pair pair = world.ConnectPair();
      std::thread first([&] { pair.server->SendText("all of it"); });
      first.join();
      std::thread second([&] { pair.server->Disconnect(); });
      second.join();
      REQUIRE(world.WaitFor([&] { return pair.client->Ended(); }));
      REQUIRE(pair.client->Received() == "all of it");
    }
  });
}

}  // namespace
}  // namespace netcore::test
