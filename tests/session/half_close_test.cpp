// Half-closed connections, both ways round.
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

TEST_CASE("a peer that half-closes gets all that is queued, then FIN", "[session]") {
  const std::string text = RandomText(2'000'000, 3);
  WorldOptions options;
  options.server.max_send_queue_bytes = 0;
  options.hooks.on_recv = [&](TestSession& session, std::span<std::byte>) {
    session.SendText(text);
  };
  OnAllBackends(options, [&](World& world) {
    const World::Pair pair = world.ConnectPair();
    pair.client->SendText("?");
    pair.client->ShutdownSend();
    CHECK(pair.client->SendText("late") == SendResult::kClosing);
    REQUIRE(world.WaitFor([&] { return pair.client->Ended() && pair.server->Ended(); }));
    CHECK(pair.client->Received() == text);
    CHECK(pair.server->Received() == "?");
    CHECK(pair.client->Info().reason == CloseReason::kPeerClosed);
    CHECK(pair.server->Info().reason == CloseReason::kPeerClosed);
    CHECK(pair.server->Info().bytes_unsent == 0);
  });
}

TEST_CASE("what a hook sends behind mail leaves though the peer closes at once", "[session]") {
  WorldOptions options;
  options.hooks.on_connected = [](TestSession& session) { session.PauseRecv(); };
  options.hooks.on_recv = [](TestSession& session, std::span<std::byte> bytes) {
    REQUIRE(session.Post([] {}));  // what is sent waits behind it
    session.Send(bytes);
  };
  OnAllBackends(options, [](World& world) {
    std::atomic<bool> closed = false;
    const World::Pair pair = world.ConnectPair();
    pair.client->SendText("echo");
    pair.client->ShutdownSend();
    REQUIRE(world.WaitFor([&] { return pair.client->SentBytes() == 4; }));
    REQUIRE(pair.client->Post([&] { closed = true; }));
    REQUIRE(world.WaitFor([&] { return closed.load(); }));
    pair.server->ResumeRecv();  // the bytes and the end of the stream come together
    REQUIRE(world.WaitFor([&] { return pair.client->Ended() && pair.server->Ended(); }));
    CHECK(pair.client->Received() == "echo");
    CHECK(pair.server->Info().reason == CloseReason::kPeerClosed);
    CHECK(pair.server->Info().bytes_unsent == 0);
  });
}

TEST_CASE("with kKeepOpen a session goes on sending after its peer has closed", "[session]") {
  WorldOptions options;
  options.server.on_peer_close = PeerClose::kKeepOpen;
  OnAllBackends(options, [](World& world) {
    const World::Pair pair = world.ConnectPair();
    pair.client->SendText("a");
    pair.client->ShutdownSend();
    REQUIRE(world.WaitFor([&] { return pair.server->Trace().ends_with('P'); }));
    CHECK(pair.server->SendText("still") == SendResult::kQueued);
    REQUIRE(world.WaitFor([&] { return pair.client->Received() == "still"; }));
    pair.server->PauseRecv();
    pair.server->ResumeRecv();
    CHECK(pair.server->SendText(" here") == SendResult::kQueued);
    REQUIRE(world.WaitFor([&] { return pair.client->Received() == "still here"; }));
    CHECK_FALSE(pair.server->Ended());
    pair.server->ShutdownSend();
    REQUIRE(world.WaitFor([&] { return pair.client->Ended() && pair.server->Ended(); }));
    CHECK(pair.server->Info().reason == CloseReason::kPeerClosed);
    CHECK(pair.client->Info().reason == CloseReason::kPeerClosed);
  });
}

TEST_CASE("a session that shuts its sending down goes on receiving", "[session]") {
  WorldOptions options;
  options.client.on_peer_close = PeerClose::kKeepOpen;
  options.server.max_send_queue_bytes = 0;
  const std::string text = RandomText(1'000'000, 4);
  OnAllBackends(options, [&](World& world) {
    const World::Pair pair = world.ConnectPair();
    pair.server->SendText(text);
    pair.server->ShutdownSend();
    CHECK(pair.server->SendText("late") == SendResult::kClosing);
    CHECK(pair.server->IsConnected());
    REQUIRE(world.WaitFor([&] { return pair.client->Trace().ends_with('P'); }));
    CHECK(pair.client->Received() == text);
    CHECK(pair.client->SendText("one") == SendResult::kQueued);
    REQUIRE(world.WaitFor([&] { return pair.server->Received() == "one"; }));
    CHECK(pair.client->SendText(" two") == SendResult::kQueued);
    pair.client->Disconnect();
    REQUIRE(world.WaitFor([&] { return pair.client->Ended() && pair.server->Ended(); }));
    CHECK(pair.server->Received() == "one two");
    CHECK(pair.server->Info().reason == CloseReason::kPeerClosed);
  });
}

TEST_CASE("both sides shut down at the same time: both end as closed by the peer", "[session]") {
  WorldOptions options;
  options.server.on_peer_close = PeerClose::kKeepOpen;
  options.client.on_peer_close = PeerClose::kKeepOpen;
  OnAllBackends(options, [](World& world) {
    const World::Pair pair = world.ConnectPair();
    pair.server->SendText("s");
    pair.client->SendText("c");
    pair.server->ShutdownSend();
    pair.client->ShutdownSend();
    REQUIRE(world.WaitFor([&] { return pair.client->Ended() && pair.server->Ended(); }));
    CHECK(pair.server->Received() == "c");
    CHECK(pair.client->Received() == "s");
    CHECK(pair.server->Info().reason == CloseReason::kPeerClosed);
    CHECK(pair.client->Info().reason == CloseReason::kPeerClosed);
  });
}

TEST_CASE("sending shut down before the connection stands is shut down when it does", "[session]") {
  OnAllBackends({}, [](World& world) {
    const TestSessionRef client = world.Connect();
    client->ShutdownSend();
    REQUIRE(world.WaitFor([&] { return client->Ended(); }));
    CHECK(client->WasConnected());
    CHECK(client->Info().reason == CloseReason::kPeerClosed);
  });
}

}  // namespace
}  // namespace netcore::test
