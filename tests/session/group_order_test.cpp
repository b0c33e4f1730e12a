// Groups and threads: joins, leaves and broadcasts stand in one order with sends and disconnects,
// and nobody notices what becomes of the others.
#include <array>

#include "tests/support/test_server.h"
#include "tests/support/turns.h"

namespace netcore::test {
namespace {

// Spins, for tens of thousands of times: where a wait is a system call of its own it takes minutes.
void Await(const std::atomic<std::uint32_t>& turn, std::uint32_t number) {
  while (turn != number) std::this_thread::yield();
}

// One turn after another, each taken by another thread: so all of it has one order, and what each
// session must receive follows from it.
class Chain {
 public:
  static constexpr std::size_t kGroups = 3;

  Chain(World& world, std::vector<World::Pair> pairs, std::uint32_t seed)
      : manager_(*world.service->Sessions()),
        pairs_(std::move(pairs)),
        random_(seed),
        expected_(pairs_.size()),
        in_(pairs_.size()) {}

  void Step(std::uint32_t number) {
    const std::size_t who = random_() % pairs_.size();
    const std::size_t group = random_() % kGroups;
    const GroupId id{100 + group};
    const TestSessionRef& session = pairs_[who].server;
    switch (random_() % 8) {
      case 0:
        if (!manager_.Join(id, session)) ++failures_;
        in_[who][group] = true;
        return;
      case 1:
        manager_.Leave(id, session->Id());
        in_[who][group] = false;
        return;
      case 2:
        if (random_() % 4 != 0) return;
        manager_.LeaveAll(session);
        in_[who] = {};
        return;
      case 3:
        if (session->SendText(Encode(number)) != SendResult::kQueued) ++failures_;
        expected_[who] += Encode(number);
        return;
      case 4:
        if (!manager_.BroadcastAll(SendBuffer::Copy(AsBytes(Encode(number))))) ++failures_;
        for (std::string& one : expected_) one += Encode(number);
        return;
      default:
        if (!manager_.Broadcast(id, SendBuffer::Copy(AsBytes(Encode(number))), session->Id())) {
          ++failures_;
        }
        for (std::size_t other = 0; other < pairs_.size(); ++other) {
          if (other != who && in_[other][group]) expected_[other] += Encode(number);
        }
    }
  }

  std::size_t Random() { return random_(); }
  std::size_t Failures() const { return failures_; }
  const std::vector<World::Pair>& Pairs() const { return pairs_; }
  const std::string& Expected(std::size_t who) const { return expected_[who]; }

 private:
  SessionManager& manager_;
  const std::vector<World::Pair> pairs_;
  std::mt19937 random_;
  std::vector<std::string> expected_;
  std::vector<std::array<bool, kGroups>> in_;
  std::size_t failures_ = 0;
};

TEST_CASE("joins, leaves, sends and broadcasts handed from thread to thread keep their order",
          "[session][groups][order]") {
  const std::uint32_t seed = NewSeed();
  INFO("seed " << seed);
  OnRealBackends(Unbounded(), [&](World& world) {
    std::vector<World::Pair> pairs;
    for (int times = 0; times < 6; ++times) pairs.push_back(world.ConnectPair());
    Chain chain(world, pairs, seed);
    constexpr std::uint32_t kThreads = 3;
    Turns turns(60'000);
    std::vector<std::thread> threads;
    for (std::uint32_t index = 0; index < kThreads; ++index) {
      threads.emplace_back([&, index] {
        for (std::uint32_t mine = index; turns.Await(mine); mine += kThreads) {
          if (chain.Random() % 16 != 0) {
            chain.Step(mine);
            turns.Pass(mine);
          } else {
            // A link of the chain on some session's own thread.
            pairs[chain.Random() % pairs.size()].server->Post([&, mine] {
              chain.Step(mine);
              turns.Pass(mine);
            });
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    REQUIRE(turns.Count() >= Turns::kFew);
    CHECK(chain.Failures() == 0);
    for (std::size_t who = 0; who < pairs.size(); ++who) {
      const std::string& expected = chain.Expected(who);
      CHECK(expected.size() > 4 * turns.Count() / 20);
      REQUIRE(world.WaitFor([&] { return pairs[who].client->ReceivedBytes() == expected.size(); }));
      CHECK((pairs[who].client->Received() == expected));
    }
  });
}

// The own thread's links come by a lock inside a hook that the peer's bytes make run at any time:
// there mail may wait, which they must not overtake.
TEST_CASE("a hook's own joins and broadcasts do not overtake what other threads did before",
          "[session][groups][order]") {
  constexpr std::uint32_t kMostTurns = 10'000;
  const std::uint32_t seed = NewSeed();
  INFO("seed " << seed);
  std::atomic<std::uint32_t> turn{0};
  Chain* chain = nullptr;
  WorldOptions options = Unbounded();
  options.hooks.on_recv = [&](TestSession&, std::span<std::byte> bytes) {
    for (const std::byte byte : bytes) {
      static_cast<void>(byte);
      const std::uint32_t mine = turn | 1U;
      Await(turn, mine);
      chain->Step(mine);
      turn = mine + 1;
    }
  };
  OnRealBackends(options, [&](World& world) {
    turn = 0;
    std::vector<World::Pair> pairs;
    for (int times = 0; times < 4; ++times) pairs.push_back(world.ConnectPair());
    Chain of_this_world(world, pairs, seed);
    chain = &of_this_world;
    std::mt19937 random(seed);
    const auto end = std::chrono::steady_clock::now() + Turns::kTime;
    std::uint32_t made = 0;
    const auto goes_on = [&] {
      return made < Turns::kFew || std::chrono::steady_clock::now() < end;
    };
    for (; made < kMostTurns && goes_on(); made += 2) {
      Await(turn, made);
      pairs[random() % pairs.size()].client->SendText("x");
      chain->Step(made);
      turn = made + 1;
    }
    Await(turn, made);
    CHECK(made >= Turns::kFew);
    CHECK(chain->Failures() == 0);
    for (std::size_t who = 0; who < pairs.size(); ++who) {
      const std::string& expected = chain->Expected(who);
      REQUIRE(world.WaitFor([&] { return pairs[who].client->ReceivedBytes() == expected.size(); }));
      CHECK((pairs[who].client->Received() == expected));
    }
  });
}

// What a receiver got of several speakers, each of whom counts up by itself.
std::string CheckIncreasing(const std::string& got, std::size_t speakers) {
  if (got.size() % 8 != 0) return "not whole messages";
  std::vector<std::uint32_t> next(speakers);
  for (std::size_t at = 0; at < got.size(); at += 8) {
    const std::uint32_t speaker = NumberAt(got, at);
    if (speaker >= speakers) return "not a message";
    if (NumberAt(got, at + 4) < next[speaker]) return "out of order, or twice";
    next[speaker] = NumberAt(got, at + 4) + 1;
  }
  return {};
}

TEST_CASE("members join, leave and end while four threads broadcast, and the others hear all",
          "[session][groups]") {
  constexpr std::size_t kSpeakers = 4;
  constexpr std::uint32_t kMessages = 2'000;
  constexpr std::size_t kSteady = 4;
  constexpr std::size_t kRestless = 12;
  const std::uint32_t seed = NewSeed();
  INFO("seed " << seed);
  OnRealBackends(Unbounded(), [&](World& world) {
    SessionManager& manager = *world.service->Sessions();
    std::vector<World::Pair> pairs;
    for (std::size_t times = 0; times < kSteady + kRestless; ++times) {
      pairs.push_back(world.ConnectPair());
      REQUIRE(manager.Join(kRoom, pairs.back().server));
    }
    std::atomic<std::size_t> speaking{kSpeakers};
    std::atomic<std::size_t> failures{0};
    std::vector<std::thread> threads;
    for (std::size_t index = 0; index < kSpeakers; ++index) {
      threads.emplace_back([&, index] {
        for (std::uint32_t number = 0; number < kMessages; ++number) {
          const std::string text = Encode(static_cast<std::uint32_t>(index)) + Encode(number);
          if (!manager.Broadcast(kRoom, SendBuffer::Copy(AsBytes(text)))) ++failures;
          if (number % 64 == 0) std::this_thread::yield();
        }
        --speaking;
      });
    }
    for (std::size_t index = 0; index < 2; ++index) {
      threads.emplace_back([&, index] {
        std::mt19937 random(seed + static_cast<std::uint32_t>(index));
        while (speaking > 0) {
          const TestSessionRef& session = pairs[kSteady + random() % kRestless].server;
          switch (random() % 64) {
            case 0:
              session->Disconnect(CloseReason::kKicked,
                                  random() % 2 == 0 ? Closing::kGraceful : Closing::kAbort);
              break;
            case 1:
              manager.LeaveAll(session);
              break;
            default:
              if (random() % 2 == 0) {
                manager.Join(kRoom, session);
              } else {
                manager.Leave(kRoom, session);
              }
          }
          if (random() % 16 == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(failures == 0);
    const std::size_t all = 8 * kSpeakers * kMessages;
    for (std::size_t index = 0; index < pairs.size(); ++index) {
      const World::Pair& pair = pairs[index];
      if (index < kSteady) {
        REQUIRE(world.WaitFor([&] { return pair.client->ReceivedBytes() == all; }));
      }
      // One that was reset may have lost the end of what it got.
      std::string got = pair.client->Received();
      if (pair.client->Info().reason == CloseReason::kPeerReset) got.resize(got.size() / 8 * 8);
      CHECK(CheckIncreasing(got, kSpeakers).empty());
    }
    for (const World::Pair& pair : pairs) manager.Leave(kRoom, pair.server);
    CHECK(world.WaitFor([&] { return manager.GroupCount() == 0; }));
  });
}

TEST_CASE("eight threads join and leave at random, and the directory is empty in the end",
          "[session][groups]") {
  constexpr std::uint32_t kSteps = 5'000;
  const std::uint32_t seed = NewSeed();
  INFO("seed " << seed);
  OnRealBackends({}, [&](World& world) {
    SessionManager& manager = *world.service->Sessions();
    std::vector<World::Pair> pairs;
    for (std::size_t times = 0; times < 8; ++times) pairs.push_back(world.ConnectPair());
    std::vector<std::thread> threads;
    for (std::uint32_t index = 0; index < 8; ++index) {
      threads.emplace_back([&, index] {
        std::mt19937 random(seed + index);
        for (std::uint32_t step = 0; step < kSteps; ++step) {
          const GroupId group{random() % 50};
          const TestSessionRef& session = pairs[random() % pairs.size()].server;
          if (random() % 2 == 0) {
            manager.Join(group, session);
          } else {
            manager.Leave(group, session);
          }
          if (step % 16 == 0) manager.Broadcast(group, SendBuffer::Copy(AsBytes("x")));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (std::size_t index = 0; index < 4; ++index) manager.LeaveAll(pairs[index].server);
    for (std::size_t index = 4; index < 8; ++index) pairs[index].client->Disconnect();
    CHECK(world.WaitFor([&] { return manager.GroupCount() == 0; }));
    for (std::uint64_t group = 0; group < 50; ++group) {
      CHECK(manager.GroupSize(GroupId{group}) == 0);
    }
  });
}

TEST_CASE("a stop while threads broadcast, join and leave", "[session][groups]") {
  const int how = GENERATE(0, 1, 2);  // the service with some time, without any, the core
  OnRealBackends({}, [&](World& world) {
    SessionManager& manager = *world.service->Sessions();
    std::vector<World::Pair> pairs;
    for (std::size_t times = 0; times < 20; ++times) {
      pairs.push_back(world.ConnectPair());
      REQUIRE(manager.Join(kRoom, pairs.back().server));
    }
    std::atomic<bool> done{false};
    std::atomic<std::size_t> said{0};
    std::vector<std::thread> threads;
    for (std::uint32_t index = 0; index < 4; ++index) {
      threads.emplace_back([&, index] {
        std::mt19937 random(index);
        while (!done) {
          manager.Broadcast(kRoom, SendBuffer::Copy(AsBytes("0123456789")));
          manager.BroadcastAll(SendBuffer::Copy(AsBytes("abc")));
          const TestSessionRef& session = pairs[random() % pairs.size()].server;
          manager.Leave(kRoom, session->Id());
          manager.Join(kRoom, session);
          ++said;
          std::this_thread::sleep_for(milliseconds(1));
        }
      });
    }
    REQUIRE(Eventually([&] { return said > 40; }));
    if (how == 2) {
      world.core->Stop();
    } else {
      world.service->Stop(milliseconds(how == 0 ? 500 : 0));
      CHECK(world.service->WaitStopped().complete);
    }
    CHECK(Eventually([&] { return manager.Count() == 0; }));
    const std::size_t before = said;
    CHECK(Eventually([&] { return said > before + 40; }));
    done = true;
    for (std::thread& thread : threads) thread.join();
    // The last to join may still be on its way to the worker, which then finds nobody.
    CHECK(Eventually([&] { return manager.GroupCount() == 0; }));
  });
}

}  // namespace
}  // namespace netcore::test
