// What sessions tell the log, how often, and that a peer has no say in how a line looks.
#include <stdexcept>

#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

TEST_CASE("a peer whose words reach the log by an exception forges no line", "[session]") {
  WorldOptions options;
  options.hooks.on_recv = [](TestSession&, std::span<std::byte> bytes) {
    throw std::runtime_error("no player " + std::string(AsText(bytes)));
  };
  OnAllBackends(options, [](World& world) {
    const World::Pair pair = world.ConnectPair();
    pair.client->SendText("김철수\nnetcore: error: the disk is full\x1B[2J\xFF");
    REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
    const std::string all = world.log.All();
    CHECK(std::count(all.begin(), all.end(), '\n') == 1);
    CHECK(
        all.ends_with("OnRecv threw: no player 김철수\\x0anetcore: error: the disk is full"
                      "\\x1b[2J\\xff\n"));
  });
}

TEST_CASE("hooks that throw for each of many peers make a line a second", "[session]") {
  constexpr std::size_t kPeers = 60;
  WorldOptions options;
  options.hooks.on_recv = [](TestSession&, std::span<std::byte>) {
    throw std::runtime_error("no");
  };
  OnMemory(options, [](World& world) {
    const auto anger = [&] {
      const World::Pair pair = world.ConnectPair();
      pair.client->SendText("x");
      REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
    };
    for (std::size_t peer = 0; peer < kPeers; ++peer) anger();
    CHECK(world.log.Count("OnRecv threw: no") >= 1);
    CHECK(world.log.Count("OnRecv threw: no") <= 2);
    world.RunFor(milliseconds(1'100));
    anger();
    CHECK(world.log.Count("OnRecv threw: no") <= 3);
    CHECK(world.log.Count("OnRecv threw: no") + world.log.LeftOut("OnRecv threw") == kPeers + 1);
  });
}

TEST_CASE("a factory that fails for each of many peers makes a line a second", "[session]") {
  constexpr std::size_t kPeers = 60;
  WorldOptions options;
  int calls = 0;
  options.factory = [&calls]() -> std::shared_ptr<Session> {
    if (++calls % 2 == 0) throw std::runtime_error("no\nmore");
    return nullptr;
  };
  OnMemory(options, [](World& world) {
    const auto come = [&] {
      const TestSessionRef client = world.Connect();
      REQUIRE(world.WaitFor([&] { return client->Ended(); }));
    };
    for (std::size_t peer = 0; peer < kPeers; ++peer) come();
    CHECK(world.log.Count("the session factory returned null; the connection of ") == 1);
    CHECK(world.log.Count("the session factory") <= 2);
    world.RunFor(milliseconds(1'100));
    come();
    CHECK(world.log.Count("the session factory") <= 3);
    CHECK(world.log.Count("the session factory") + world.log.LeftOut("the session factory") ==
          kPeers + 1);
    CHECK(world.service->Stats().factory_failures == kPeers + 1);
  });
}

TEST_CASE("the debug level tells each session's beginning and its end", "[session]") {
  WorldOptions options;
  options.log_level = LogLevel::kDebug;
  options.hooks.on_recv = [](TestSession& session, std::span<std::byte> bytes) {
    session.SendReceived(bytes);
  };
  OnAllBackends(options, [](World& world) {
    const World::Pair pair = world.ConnectPair();
    const std::string backend(world.core->BackendName());
    const auto name = [](const Session& session) {
      return "session " + session.Id().ToString() + " (" + session.PeerEndpoint().ToString() +
             "): ";
    };
    for (const TestSessionRef& session : {pair.client, pair.server}) {
      CHECK(world.log.Count(name(*session) + "began on worker ") == 1);
      CHECK(world.log.Count(name(*session) + "ended") == 0);
    }
    CHECK(world.log.Count("): began on worker 0, backend " + backend) >= 1);
    // Queued and flushed, and at once.
    pair.client->SendText("hello");
    REQUIRE(world.WaitFor([&] { return pair.client->ReceivedBytes() == 5; }));
    pair.server->SendText("and more");
    REQUIRE(world.WaitFor([&] { return pair.client->ReceivedBytes() == 13; }));
    world.RunFor(milliseconds(20));
    pair.server->Disconnect(CloseReason::kKicked);
    REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
    INFO(world.log.All());
    CHECK(world.log.Count(name(*pair.server) + "ended after ") == 1);
    CHECK(world.log.Count(" ms: kicked; 5 bytes received, 13 sent, 0 unsent") == 1);
    CHECK(world.log.Count(name(*pair.client) + "ended after ") == 1);
    CHECK(world.log.Count(" ms: peer closed; 13 bytes received, 5 sent, 0 unsent") == 1);
    INFO(world.log.All());
    CHECK(world.log.Count("ended after 0 ms") == 0);
  });
}

TEST_CASE("the debug level tells why a connect failed", "[session]") {
  WorldOptions options;
  options.log_level = LogLevel::kDebug;
  OnAllBackends(options, [](World& world) {
    const Endpoint address = world.Address();
    world.service->Stop(milliseconds::zero());
    REQUIRE(world.WaitFor([&] { return world.service->WaitStopped().complete; }));
    const auto client = std::make_shared<TestSession>();
    REQUIRE_FALSE(world.connector->Connect(address, client));
    REQUIRE(world.WaitFor([&] { return client->Ended(); }));
    CHECK(world.log.Count("): never began: connect failed, connect " + address.ToString() + ": ") ==
          1);
    CHECK(world.log.Count("began on worker") == 0);
  });
}

TEST_CASE("without the debug level sessions that begin and end make no line", "[session]") {
  OnMemory(WorldOptions{}, [](World& world) {
    const World::Pair pair = world.ConnectPair();
    pair.client->Disconnect();
    REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
    CHECK(world.log.All() == "");
  });
}

}  // namespace
}  // namespace netcore::test
