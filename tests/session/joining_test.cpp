// Joining: what waits for one session leaves in one send, also when it came from many.
#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "tests/support/busy.h"
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

TEST_CASE("what many sessions say to one while its worker is busy leaves in a few sends",
          "[session][send]") {
  constexpr std::size_t kTalkers = 3 * CompletionPort::kMaxSendSlices;
  constexpr std::size_t kSends = 4;  // one more than slices make necessary, for a late arrival
  TestSessionRef listener;
  std::atomic<std::size_t> sends{0};
  WorldOptions options;
  options.threads = 1;
  options.hooks.on_recv = [&](TestSession&, std::span<std::byte> bytes) { listener->Send(bytes); };
  options.hooks.on_send = [&](TestSession& session, std::size_t) {
    if (&session == listener.get()) ++sends;
  };
  OnRealBackends(options, [&](World& world) {
    // The talkers live elsewhere, so that they can speak while the listener's worker is busy.
    World elsewhere(NewFactory(world.GetBackend()), WorldOptions{});
    const World::Pair pair = world.ConnectPair();
    listener = pair.server;
    sends = 0;
    std::vector<TestSessionRef> talkers;
    for (std::size_t i = 0; i < kTalkers; ++i) {
      talkers.push_back(std::make_shared<TestSession>());
      const Error error = elsewhere.connector->Connect(world.Address(), talkers.back());
      REQUIRE(error.Message() == Error().Message());
    }
    REQUIRE(Eventually([&] { return world.service->Stats().sessions == kTalkers + 1; }));
    {
      const Busy busy(*pair.server);
      for (const TestSessionRef& talker : talkers) {
        REQUIRE(Eventually([&] { return talker->WasConnected(); }));
        CHECK(talker->SendText("x") == SendResult::kQueued);
      }
      for (const TestSessionRef& talker : talkers) {
        REQUIRE(Eventually([&] { return talker->SentBytes() == 1; }));
      }
    }
    CHECK(world.WaitFor([&] { return pair.client->ReceivedBytes() == kTalkers; }));
    CHECK(world.WaitFor([&] { return pair.server->SentBytes() == kTalkers; }));
    CHECK(sends <= kSends);
    elsewhere.Finish();
    listener.reset();
  });
}

}  // namespace
}  // namespace netcore::test
