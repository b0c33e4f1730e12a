// Eight threads do everything at random for a while; then everything is back to nothing.
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

constexpr int kThreads = 8;
constexpr milliseconds kTime{1'500};
constexpr std::size_t kMostAtOnce = 200;

// One thread's part.
void Churn(World& world, std::uint32_t seed, std::atomic<std::size_t>& live,
           std::vector<TestSessionRef>& done) {
  std::mt19937 random(seed);
  std::vector<TestSessionRef> mine;
  const auto begin = std::chrono::steady_clock::now();
  const auto is_late = [&] { return std::chrono::steady_clock::now() - begin >= kTime; };
  // On a slow system it may take longer until anybody is connected at all.
  const auto goes_on = [&] {
    return !is_late() || (world.connector->Stats().total_sessions == 0 &&
                          std::chrono::steady_clock::now() - begin < kLimit);
  };
  const std::string text = RandomText(5'000, seed);
  while (goes_on()) {
    const auto what = random() % 10;
    if (what == 0 && live < kMostAtOnce) {
      Hooks hooks;
      hooks.on_disconnected = [&live](TestSession&, const CloseInfo&) { --live; };
      auto client = std::make_shared<TestSession>(hooks, false);
      ++live;
      if (world.connector->Connect(world.Address(), client)) {
        --live;
      } else {
        mine.push_back(client);
      }
    }
    if (mine.empty()) continue;
    const std::size_t index = random() % mine.size();
    const TestSessionRef client = mine[index];
    if (what >= 1 && what <= 5) client->SendText(std::string_view(text).substr(random() % 5'000));
    if (what == 6) client->PauseRecv();
    if (what == 7) client->ResumeRecv();
    if (what == 8 && random() % 4 == 0) client->ShutdownSend();
    if (what == 9) {
      client->Disconnect(CloseReason::kLocal,
                         random() % 2 == 0 ? Closing::kGraceful : Closing::kAbort);
      done.push_back(client);
      mine[index] = mine.back();
      mine.pop_back();
    }
    // The workers must have their turn too, however slowly a system changes threads.
    if (random() % 32 == 0 || is_late()) std::this_thread::sleep_for(milliseconds(1));
  }
  done.insert(done.end(), mine.begin(), mine.end());
}

TEST_CASE(
    "eight threads connect, send, pause, end and abort at random, and everything returns to zero",
    "[service][churn]") {
  const std::uint32_t seed = NewSeed();
  INFO("seed " << seed);
  WorldOptions options;
  options.keep_received = false;
  options.hooks.on_recv = [](TestSession& session, std::span<std::byte> bytes) {
    session.Send(bytes);
    if (bytes[0] == std::byte{7}) session.Disconnect(CloseReason::kKicked, Closing::kAbort);
    if (bytes[0] == std::byte{8}) session.Post([&session] { session.Disconnect(); });
    if (bytes[0] == std::byte{9}) throw 9;
  };
  OnRealBackends(options, [&](World& world) {
    std::atomic<std::size_t> live{0};
    std::vector<std::vector<TestSessionRef>> done(kThreads);
    std::vector<std::thread> threads;
    for (int index = 0; index < kThreads; ++index) {
      threads.emplace_back([&, index] {
        const auto i = static_cast<std::size_t>(index);
        Churn(world, seed + static_cast<std::uint32_t>(index), live, done[i]);
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(world.connector->Stats().total_sessions > 0);
    world.service->Stop(milliseconds(200));
    world.connector->Stop(milliseconds(200));
    CHECK(world.service->WaitStopped().complete);
    CHECK(world.connector->WaitStopped().complete);
    CHECK(live == 0);
    std::size_t bad = 0;
    std::size_t not_ended = 0;
    for (const auto& sessions : done) {
      for (const TestSessionRef& session : sessions) {
        if (!session->Violation().empty()) ++bad;
        if (!session->Ended()) ++not_ended;
      }
    }
    CHECK(bad == 0);
    CHECK(not_ended == 0);
    const ServiceStats stats = world.connector->Stats();
    CHECK(stats.sessions == 0);
    std::uint64_t ended = 0;
    for (const std::uint64_t count : stats.ended) ended += count;
    std::size_t begun = 0;
    for (const auto& sessions : done) begun += sessions.size();
    CHECK(ended == begun);
  });
  CHECK(TestSession::alive_count == 0);
}

}  // namespace
}  // namespace netcore::test
