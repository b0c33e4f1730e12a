// The contract suite: connecting.
#include "tests/port/contract_fixture.h"
#include "tests/support/skip.h"

namespace netcore::contract {
namespace {

// An address where nobody listens: its port was free a moment ago.
Endpoint DeadAddress(Harness& harness) {
  Acceptor& acceptor = harness.NewAcceptor(0);
  const Endpoint address = acceptor.bound;
  acceptor.Close();
  return address;
}

TEST_CASE("a connection knows its own address and its peer's", "[contract][connect]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(1);
    Side& client = harness.NewSide();
    client.Open();
    client.Connect(acceptor.bound);
    harness.RunUntil("the connect", [&] { return !client.connect.Waits(); });
    REQUIRE_FALSE(client.connect.error);
    harness.RunUntil("the accept", [&] { return !acceptor.accepted.empty(); });
    const Endpoint local = client.Local();
    CHECK(local.IsLoopback());
    CHECK(local.Port() != 0);
    CHECK(acceptor.accepted.front().peer == local);
    Side& server = harness.NewSide();
    server.Adopt(acceptor.Take(local));
    CHECK(server.Local() == acceptor.bound);
  });
}

TEST_CASE("a refused connect says so in its completion", "[contract][connect]") {
  ForEachBackend([](Harness& harness) {
    Side& client = harness.NewSide();
    client.Open();
    client.Connect(DeadAddress(harness));
    CHECK(client.connect.finals == 0);
    harness.RunUntil("the refusal", [&] { return !client.connect.Waits(); });
    CHECK(client.connect.error == ErrorCode::kConnectionRefused);
  });
}

TEST_CASE("many connects that are refused each complete once", "[contract][connect]") {
  ForEachBackend([](Harness& harness) {
    const Endpoint dead = DeadAddress(harness);
    std::vector<Side*> clients;
    for (int count = 0; count < 50; ++count) {
      clients.push_back(&harness.NewSide());
      clients.back()->Open();
      clients.back()->Connect(dead);
    }
    for (Side* client : clients) {
      harness.RunUntil("the refusal", [&] { return !client->connect.Waits(); });
      CHECK(client->connect.error == ErrorCode::kConnectionRefused);
    }
  });
}

TEST_CASE("a connect to no address at all fails in its completion", "[contract][connect]") {
  ForEachBackend([](Harness& harness) {
    Side& client = harness.NewSide();
    client.Open();
    client.Connect(Endpoint());
    CHECK(client.connect.finals == 0);
    harness.RunUntil("the failure", [&] { return !client.connect.Waits(); });
    CHECK(client.connect.error == ErrorCode::kInvalidArgument);
  });
}

TEST_CASE("a connect to an address of the other family fails in its completion",
          "[contract][connect]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(1);
    Side& client = harness.NewSide();
    client.Open();
    client.Connect(Endpoint::LoopbackIpv6(acceptor.bound.Port()));
    CHECK(client.connect.finals == 0);
    harness.RunUntil("the failure", [&] { return !client.connect.Waits(); });
    CHECK(client.connect.error);
    CHECK_FALSE(client.connect.error == ErrorCode::kCancelled);
  });
}

TEST_CASE("a connect to the broadcast address fails in its completion", "[contract][connect]") {
  ForEachBackend([](Harness& harness) {
    Side& client = harness.NewSide();
    client.Open();
    client.Connect(Endpoint(Endpoint::Ipv4Bytes{255, 255, 255, 255}, 9));
    CHECK(client.connect.finals == 0);
    harness.RunUntil("the failure", [&] { return !client.connect.Waits(); });
    CHECK(client.connect.error);
    CHECK_FALSE(client.connect.error == ErrorCode::kCancelled);
  });
}

TEST_CASE("recv and send on a socket that never connected fail in their completions",
          "[contract][connect]") {
  ForEachBackend([](Harness& harness) {
    Side& client = harness.NewSide();
    client.Open();
    client.Recv();
    client.Send("nobody hears this");
    CHECK(client.recv.finals + client.send.finals == 0);
    harness.RunUntil("both fail", [&] { return !client.AnythingPending(); });
    CHECK(client.recv.error);
    CHECK(client.send.error);
    CHECK(client.send.bytes == 0);
  });
}

TEST_CASE("a connect that is cancelled at once completes once, either way",
          "[contract][connect][cancel]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(4);
    for (int count = 0; count < 50; ++count) {
      Side& client = harness.NewSide();
      client.Open();
      client.Connect(acceptor.bound);
      client.Cancel(client.connect);
      harness.RunUntil("its completion", [&] { return !client.connect.Waits(); });
      const Error& error = client.connect.error;
      INFO(error.Message());
      CHECK((!error || error == ErrorCode::kCancelled));
      harness.Dispatch(Duration::zero());
      CHECK(client.connect.finals == 1);
      client.Close(CloseMode::kAbort);
    }
    // The listener is none the worse for it.
    Side& client = harness.NewSide();
    client.Open();
    client.Connect(acceptor.bound);
    harness.RunUntil("a connect", [&] { return !client.connect.Waits(); });
    REQUIRE_FALSE(client.connect.error);
    harness.RunUntil("its accept", [&] {
      for (const auto& connection : acceptor.accepted)
        if (connection.peer == client.Local()) return true;
      return false;
    });
  });
}

TEST_CASE("a thousand connections one after another leave nothing behind",
          "[contract][connect][close]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(2);
    constexpr std::size_t kCycles = 1000;
    Side& client = harness.NewSide();
    Side& server = harness.NewSide();
    std::size_t wrong = 0;
    for (std::size_t cycle = 0; cycle < kCycles; ++cycle) {
      const std::string text = std::to_string(cycle);
      client.Open();
      client.Connect(acceptor.bound);
      harness.RunUntil("the connect",
                       [&] { return !client.connect.Waits() && !acceptor.accepted.empty(); });
      REQUIRE_FALSE(client.connect.error);
      server.received.clear();
      server.Adopt(acceptor.Take(client.Local()));
      server.Recv();
      client.Send(text);
      harness.RunUntil("the message", [&] {
        return !client.send.Waits() && server.received.size() >= text.size();
      });
      if (server.received != text) ++wrong;
      // Odd ones end with a recv cancelled, even ones with the end of the stream.
      if (cycle % 2 == 0) {
        client.Close();
      } else {
        server.Cancel(server.recv);
      }
      harness.RunUntil("the end", [&] { return !server.recv.Waits(); });
      server.Close(CloseMode::kAbort);
      if (client.IsOpen()) client.Close(CloseMode::kAbort);
    }
    CHECK(wrong == 0);
    CHECK(server.recv.finals == kCycles);
    CHECK(server.received_bytes == 10 + 2 * 90 + 3 * 900);
  });
}

TEST_CASE("a client connects over IPv6", "[contract][connect]") {
  ForEachBackend([](Harness& harness) {
    OwnedSocket probe;
    Endpoint bound;
    if (const Error error = harness.Factory().Listen(Endpoint::LoopbackIpv6(0), {}, probe, bound)) {
      NoteSkipped("no IPv6 on this machine: " + error.Message());
      return;
    }
    Acceptor& acceptor = harness.NewAcceptor(1, Endpoint::LoopbackIpv6(0));
    CHECK(acceptor.bound.AddressString() == "::1");
    Side& client = harness.NewSide();
    client.Open({}, Endpoint::Family::kIpv6);
    client.Connect(acceptor.bound);
    harness.RunUntil("the connection", [&] {
      return !client.connect.Waits() && (client.connect.error || !acceptor.accepted.empty());
    });
    REQUIRE_FALSE(client.connect.error);
    CHECK(acceptor.accepted.front().peer == client.Local());
    CHECK(client.Local().AddressString() == "::1");
  });
}

TEST_CASE("a listener on every address takes IPv4 and IPv6 clients", "[contract][connect]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(2, Endpoint::Any(0));
    if (acceptor.bound.GetFamily() != Endpoint::Family::kIpv6) {
      NoteSkipped("no IPv6 on this machine: the listener is on " + acceptor.bound.ToString());
    }
    Side& v4 = harness.NewSide();
    v4.Open();
    v4.Connect(Endpoint::LoopbackIpv4(acceptor.bound.Port()));
    harness.RunUntil("the IPv4 client", [&] {
      return !v4.connect.Waits() && (v4.connect.error || !acceptor.accepted.empty());
    });
    REQUIRE_FALSE(v4.connect.error);
    CHECK(acceptor.accepted.front().peer.AddressString() == "127.0.0.1");
    CHECK(acceptor.accepted.front().peer == v4.Local());
    Side& server = harness.NewSide();
    server.Adopt(acceptor.Take(v4.Local()));
    CHECK(server.Local() == Endpoint::LoopbackIpv4(acceptor.bound.Port()));
    if (acceptor.bound.GetFamily() != Endpoint::Family::kIpv6) return;
    Side& v6 = harness.NewSide();
    v6.Open({}, Endpoint::Family::kIpv6);
    v6.Connect(Endpoint::LoopbackIpv6(acceptor.bound.Port()));
    harness.RunUntil("the IPv6 client", [&] {
      return !v6.connect.Waits() && (v6.connect.error || !acceptor.accepted.empty());
    });
    REQUIRE_FALSE(v6.connect.error);
    CHECK(acceptor.accepted.front().peer.AddressString() == "::1");
  });
}

}  // namespace
}  // namespace netcore::contract
