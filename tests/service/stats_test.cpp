// What Stats tells an operator.
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

TEST_CASE("stats count sessions now, at most and in all, bytes both ways, and ends by reason",
          "[service][stats]") {
  WorldOptions options;
  options.hooks.on_recv = [](TestSession& session, std::span<std::byte> bytes) {
    session.Send(bytes);
    session.Send(bytes);
  };
  OnAllBackends(options, [](World& world) {
    CHECK(world.service->Stats().total_sessions == 0);
    std::vector<World::Pair> pairs;
    for (int i = 0; i < 4; ++i) pairs.push_back(world.ConnectPair());
    for (const World::Pair& pair : pairs) pair.client->SendText(std::string(1'000, 'x'));
    REQUIRE(world.WaitFor([&] {
      for (const World::Pair& pair : pairs) {
        if (pair.client->ReceivedBytes() != 2'000 || pair.server->SentBytes() != 2'000)
          return false;
      }
      return true;
    }));
    ServiceStats stats = world.service->Stats();
    CHECK(stats.sessions == 4);
    CHECK(stats.peak_sessions == 4);
    CHECK(stats.total_sessions == 4);
    CHECK(stats.bytes_received == 4'000);
    CHECK(stats.bytes_sent == 8'000);
    CHECK(world.connector->Stats().bytes_received == 8'000);

    pairs[0].client->Disconnect();
    pairs[1].client->Disconnect(CloseReason::kLocal, Closing::kAbort);
    pairs[2].server->Disconnect(CloseReason::kKicked);
    REQUIRE(world.WaitFor([&] { return world.service->Stats().sessions == 1; }));
    stats = world.service->Stats();
    CHECK(stats.Ended(CloseReason::kPeerClosed) == 1);
    CHECK(stats.Ended(CloseReason::kPeerReset) == 1);
    CHECK(stats.Ended(CloseReason::kKicked) == 1);
    CHECK(stats.peak_sessions == 4);
    CHECK(stats.total_sessions == 4);
    CHECK(stats.refused == 0);
    CHECK(stats.accept_failures == 0);
    CHECK(stats.factory_failures == 0);
    std::uint64_t ended = 0;
    for (const std::uint64_t count : stats.ended) ended += count;
    CHECK(ended == 3);
  });
}

TEST_CASE("stats of what was never started are zero", "[service][stats]") {
  ServiceOptions options;
  options.factory = MakeSession<TestSession>;
  const Service service(std::move(options));
  CHECK(service.Stats().total_sessions == 0);
  CHECK(service.LocalEndpoint().GetFamily() == Endpoint::Family::kNone);
}

}  // namespace
}  // namespace netcore::test
