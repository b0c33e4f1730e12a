// The contract suite: listening and accepting.
#include <algorithm>
#include <set>

#include "tests/port/contract_fixture.h"

namespace netcore::contract {
namespace {

TEST_CASE("a hundred accepts posted take three hundred connects, each once", "[contract][accept]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(100);
    std::vector<Side*> clients;
    for (int count = 0; count < 300; ++count) {
      clients.push_back(&harness.NewSide());
      clients.back()->Open();
      clients.back()->Connect(acceptor.bound);
    }
    harness.RunUntil("all connects and accepts", [&] {
      return acceptor.accepted.size() >= clients.size() &&
             std::none_of(clients.begin(), clients.end(),
                          [](const Side* client) { return client->connect.Waits(); });
    });
    harness.RunFor(milliseconds(20));
    CHECK(acceptor.accepted.size() == clients.size());
    std::set<std::string> peers;
    for (const auto& connection : acceptor.accepted) peers.insert(connection.peer.ToString());
    std::size_t unknown = 0;
    for (const Side* client : clients) {
      REQUIRE_FALSE(client->connect.error);
      unknown += 1 - peers.count(client->Local().ToString());
    }
    CHECK(unknown == 0);
    CHECK(peers.size() == clients.size());
    // All events are posted again, none twice.
    for (const Op& op : acceptor.ops) CHECK(op.submits == op.finals + 1);
  });
}

TEST_CASE("accepts posted after the clients have connected take them", "[contract][accept]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(0);
    std::vector<Side*> clients;
    for (int count = 0; count < 20; ++count) {
      clients.push_back(&harness.NewSide());
      clients.back()->Open();
      clients.back()->Connect(acceptor.bound);
      harness.RunUntil("the connect", [&] { return !clients.back()->connect.Waits(); });
      REQUIRE_FALSE(clients.back()->connect.error);
    }
    harness.RunFor(milliseconds(10));
    CHECK(acceptor.accepted.empty());
    acceptor.repost = false;
    acceptor.Post(5);
    CHECK(acceptor.accepted.empty());
    harness.RunUntil("five accepts", [&] { return !acceptor.AnythingPending(); });
    harness.RunFor(milliseconds(20));
    CHECK(acceptor.accepted.size() == 5);
    acceptor.Post(15);
    harness.RunUntil("the others", [&] { return acceptor.accepted.size() == clients.size(); });
    for (const Side* client : clients) CHECK(acceptor.Take(client->Local()));
  });
}

TEST_CASE("cancelled accepts complete, each once, and the others go on",
          "[contract][accept][cancel]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(10);
    acceptor.repost = false;
    harness.RunFor(milliseconds(5));
    for (std::size_t index = 0; index < 10; index += 2) acceptor.Cancel(acceptor.ops[index]);
    for (const Op& op : acceptor.ops) CHECK(op.finals == 0);
    harness.RunUntil("the cancelled ones", [&] {
      return std::count_if(acceptor.ops.begin(), acceptor.ops.end(),
                           [](const Op& op) { return op.Waits(); }) == 5;
    });
    for (std::size_t index = 0; index < 10; ++index) {
      CHECK(acceptor.ops[index].Waits() == (index % 2 == 1));
      if (index % 2 == 0) CHECK(acceptor.ops[index].error == ErrorCode::kCancelled);
    }
    std::vector<Side*> clients;
    for (int count = 0; count < 5; ++count) {
      clients.push_back(&harness.NewSide());
      clients.back()->Open();
      clients.back()->Connect(acceptor.bound);
    }
    harness.RunUntil("five accepts", [&] { return acceptor.accepted.size() == 5; });
    CHECK_FALSE(acceptor.AnythingPending());
    for (const Op& op : acceptor.ops) CHECK(op.finals == 1);
    // What was cancelled can be posted again.
    acceptor.Submit(acceptor.ops.front());
    Side& another = harness.NewSide();
    another.Open();
    another.Connect(acceptor.bound);
    harness.RunUntil("another accept", [&] { return acceptor.accepted.size() == 6; });
  });
}

TEST_CASE("accepts cancelled while clients connect lose no client", "[contract][accept][cancel]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(8);
    acceptor.repost = false;
    std::vector<Side*> clients;
    for (int round = 0; round < 10; ++round) {
      for (int count = 0; count < 4; ++count) {
        clients.push_back(&harness.NewSide());
        clients.back()->Open();
        clients.back()->Connect(acceptor.bound);
      }
      for (Op& op : acceptor.ops)
        if (op.Waits()) acceptor.Cancel(op);
      harness.RunUntil("the accepts end", [&] { return !acceptor.AnythingPending(); });
      for (Op& op : acceptor.ops) acceptor.Submit(op);
    }
    acceptor.repost = true;
    for (Op& op : acceptor.ops)
      if (!op.Waits()) acceptor.Submit(op);
    harness.RunUntil("every client", [&] { return acceptor.accepted.size() == clients.size(); });
    for (const Side* client : clients) CHECK(acceptor.Take(client->Local()));
  });
}

TEST_CASE("one accept's completion cancels all the others", "[contract][accept][cancel]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(10);
    acceptor.repost = false;
    acceptor.hook = [&](Op& op, IoResult& result) {
      if (result.error) return;
      for (Op& other : acceptor.ops)
        if (&other != &op && other.Waits()) acceptor.Cancel(other);
    };
    for (int count = 0; count < 5; ++count) {
      Side& client = harness.NewSide();
      client.Open();
      client.Connect(acceptor.bound);
    }
    harness.RunUntil("all accepts", [&] { return !acceptor.AnythingPending(); });
    std::size_t cancelled = 0;
    for (const Op& op : acceptor.ops) {
      CHECK(op.finals == 1);
      cancelled += op.error == ErrorCode::kCancelled ? 1 : 0;
    }
    CHECK(acceptor.accepted.size() >= 1);
    CHECK(acceptor.accepted.size() + cancelled == 10);
    // Whom no accept got, the next ones get.
    acceptor.hook = nullptr;
    for (Op& op : acceptor.ops) acceptor.Submit(op);
    harness.RunUntil("all clients", [&] { return acceptor.accepted.size() == 5; });
  });
}

TEST_CASE("a client whose accept was cancelled goes to the next accept",
          "[contract][accept][cancel]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(0);
    acceptor.repost = false;
    for (std::size_t count = 1; count <= 20; ++count) {
      acceptor.Post(2);
      Op& first = acceptor.ops[acceptor.ops.size() - 2];
      Op& second = acceptor.ops.back();
      harness.RunFor(milliseconds(1));
      Side& client = harness.NewSide();
      // The connection is on its way to the first accept when that one is cancelled.
      client.hook = [&](Op&, IoResult&) { acceptor.Cancel(first); };
      client.Open();
      client.Connect(acceptor.bound);
      harness.RunUntil("the accept", [&] { return acceptor.accepted.size() == count; });
      CHECK(acceptor.accepted.back().peer == client.Local());
      harness.RunUntil("the first one's completion", [&] { return !first.Waits(); });
      if (second.Waits()) acceptor.Cancel(second);
      harness.RunUntil("the second one's completion", [&] { return !second.Waits(); });
      CHECK(acceptor.accepted.size() == count);
      client.hook = nullptr;
    }
  });
}

TEST_CASE("a listener that is closed refuses its next client", "[contract][accept][close]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(3);
    harness.RunFor(milliseconds(5));
    acceptor.CancelAll();
    harness.RunUntil("the accepts end", [&] { return !acceptor.AnythingPending(); });
    for (const Op& op : acceptor.ops) CHECK(op.error == ErrorCode::kCancelled);
    acceptor.Close();
    Side& client = harness.NewSide();
    client.Open();
    client.Connect(acceptor.bound);
    harness.RunUntil("the refusal", [&] { return !client.connect.Waits(); });
    CHECK(client.connect.error == ErrorCode::kConnectionRefused);
  });
}

TEST_CASE("a listener closed while clients wait resets them", "[contract][accept][close]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(0);
    std::vector<Side*> clients;
    for (int count = 0; count < 5; ++count) {
      clients.push_back(&harness.NewSide());
      clients.back()->Open();
      clients.back()->Connect(acceptor.bound);
      harness.RunUntil("the connect", [&] { return !clients.back()->connect.Waits(); });
      REQUIRE_FALSE(clients.back()->connect.error);
      clients.back()->Recv();
    }
    acceptor.Close();
    for (const Side* client : clients) {
      harness.RunUntil("the reset", [&] { return !client->recv.Waits(); });
      CHECK(client->recv.error == ErrorCode::kConnectionReset);
    }
  });
}

TEST_CASE("a client that resets in the backlog does not stop the listener",
          "[contract][accept][reset]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(0);
    for (int count = 0; count < 10; ++count) {
      Side& gone = harness.NewSide();
      gone.Open();
      gone.Connect(acceptor.bound);
      harness.RunUntil("the connect", [&] { return !gone.connect.Waits(); });
      gone.Close(CloseMode::kAbort);
    }
    Side& client = harness.NewSide();
    client.Open();
    client.Connect(acceptor.bound);
    harness.RunUntil("the connect", [&] { return !client.connect.Waits(); });
    harness.RunFor(milliseconds(5));
    acceptor.Post(2);
    const auto is_here = [&] {
      return std::any_of(acceptor.accepted.begin(), acceptor.accepted.end(),
                         [&](const auto& one) { return one.peer == client.Local(); });
    };
    harness.RunUntil("the client that stayed", is_here);
    // The others were reported as aborted, or come as connections that end in a reset at once, or
    // were never heard of.
    CHECK(acceptor.aborted + acceptor.accepted.size() <= 11);
    Side& server = harness.NewSide();
    server.Adopt(acceptor.Take(client.Local()));
    server.Recv();
    client.Send("here");
    harness.RunUntil("the bytes", [&] { return server.received == "here"; });
    for (auto& connection : acceptor.accepted) {
      Side& dead = harness.NewSide();
      dead.Adopt(std::move(connection.socket));
      dead.Recv();
      harness.RunUntil("the reset", [&] { return !dead.recv.Waits(); });
      CHECK(dead.recv.error == ErrorCode::kConnectionReset);
    }
  });
}

TEST_CASE("a client that sent and left in the backlog is accepted with its bytes",
          "[contract][accept]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(0);
    Side& client = harness.NewSide();
    client.Open();
    client.Connect(acceptor.bound);
    harness.RunUntil("the connect", [&] { return !client.connect.Waits(); });
    const Endpoint local = client.Local();
    client.Send("farewell");
    harness.RunUntil("the send", [&] { return !client.send.Waits(); });
    client.Close();
    acceptor.Post(1);
    harness.RunUntil("the accept", [&] { return !acceptor.accepted.empty(); });
    CHECK(acceptor.accepted.front().peer == local);
    Side& server = harness.NewSide();
    server.Adopt(acceptor.Take(local));
    server.Recv();
    harness.RunUntil("the end", [&] { return !server.recv.Waits(); });
    CHECK(server.received == "farewell");
    CHECK(server.SawEnd());
  });
}

TEST_CASE("a silent client does not pin an accept", "[contract][accept]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(1);
    for (std::size_t count = 1; count <= 10; ++count) {
      Side& silent = harness.NewSide();
      silent.Open();
      silent.Connect(acceptor.bound);
      harness.RunUntil("the accept", [&] { return acceptor.accepted.size() == count; });
    }
  });
}

TEST_CASE("an accepted socket works on another port of the factory", "[contract][accept]") {
  ForEachBackend([](Harness& harness) {
    harness.AddPort();
    Acceptor& acceptor = harness.NewAcceptor(4);
    for (int count = 0; count < 20; ++count) {
      Side& client = harness.NewSide(0);
      client.Open();
      client.Connect(acceptor.bound);
      harness.RunUntil("the connection",
                       [&] { return !client.connect.Waits() && !acceptor.accepted.empty(); });
      Side& server = harness.NewSide(1);
      server.Adopt(acceptor.Take(client.Local()));
      CHECK(server.Local() == acceptor.bound);
      const std::string up = RandomBytes(300000, 20);
      const std::string down = RandomBytes(300000, 21);
      client.Recv();
      server.Recv();
      client.SendAll(up);
      server.SendAll(down);
      harness.RunUntil("all bytes", [&] {
        return server.received.size() >= up.size() && client.received.size() >= down.size() &&
               client.SentAll() && server.SentAll();
      });
      CHECK(SameBytes(server.received, up));
      CHECK(SameBytes(client.received, down));
      client.Shutdown();
      harness.RunUntil("the end", [&] { return !server.recv.Waits(); });
      CHECK(server.SawEnd());
    }
  });
}

TEST_CASE("a listener on port 0 gets a port of its own", "[contract][listen]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& one = harness.NewAcceptor(1);
    Acceptor& other = harness.NewAcceptor(1);
    CHECK(one.bound.AddressString() == "127.0.0.1");
    CHECK(one.bound.Port() != 0);
    CHECK(other.bound.Port() != 0);
    CHECK(one.bound.Port() != other.bound.Port());
  });
}

TEST_CASE("an address in use is an error that names it", "[contract][listen]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(1);
    OwnedSocket socket;
    Endpoint bound;
    const Error error = harness.Factory().Listen(acceptor.bound, {}, socket, bound);
    CHECK(error == ErrorCode::kAddressInUse);
    CHECK(error.Message() == "bind " + acceptor.bound.ToString() + ": address already in use");
    CHECK_FALSE(socket);
  });
}

TEST_CASE("an address of another machine is an error that names it", "[contract][listen]") {
  ForEachBackend([](Harness& harness) {
    OwnedSocket socket;
    Endpoint bound;
    const Endpoint address(Endpoint::Ipv4Bytes{192, 0, 2, 1}, 0);
    const Error error = harness.Factory().Listen(address, {}, socket, bound);
    CHECK(error == ErrorCode::kAddressNotAvailable);
    CHECK(error.Message().find("bind 192.0.2.1:0: ") == 0);
    CHECK_FALSE(socket);
  });
}

TEST_CASE("no address at all is an error of Listen and of OpenSocket", "[contract][listen]") {
  ForEachBackend([](Harness& harness) {
    OwnedSocket socket;
    Endpoint bound;
    const Error error = harness.Factory().Listen(Endpoint(), {}, socket, bound);
    CHECK(error == ErrorCode::kInvalidArgument);
    CHECK(harness.Factory().OpenSocket(Endpoint::Family::kNone, socket) ==
          ErrorCode::kInvalidArgument);
    CHECK_FALSE(socket);
  });
}

TEST_CASE("the address of a closed listener is free again at once", "[contract][listen][close]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& first = harness.NewAcceptor(1);
    Side& client = harness.NewSide();
    client.Open();
    client.Connect(first.bound);
    harness.RunUntil("the connection",
                     [&] { return !client.connect.Waits() && !first.accepted.empty(); });
    // The server side closes first, so that its end is the one that lingers in TIME_WAIT.
    Side& server = harness.NewSide();
    server.Adopt(first.Take(client.Local()));
    client.Recv();
    server.Close();
    harness.RunUntil("the end", [&] { return !client.recv.Waits(); });
    client.Close();
    first.CancelAll();
    harness.RunUntil("the accepts end", [&] { return !first.AnythingPending(); });
    first.Close();
    Acceptor& second = harness.NewAcceptor(1, first.bound);
    CHECK(second.bound == first.bound);
    Side& again = harness.NewSide();
    again.Open();
    again.Connect(second.bound);
    harness.RunUntil("a connection",
                     [&] { return !again.connect.Waits() && !second.accepted.empty(); });
  });
}

TEST_CASE("a listener that no port adopts is closed with its OwnedSocket", "[contract][listen]") {
  ForEachBackend([](Harness& harness) {
    OwnedSocket socket;
    Endpoint bound;
    REQUIRE_FALSE(harness.Factory().Listen(Endpoint::LoopbackIpv4(0), {}, socket, bound));
    socket = OwnedSocket();
    Side& client = harness.NewSide();
    client.Open();
    client.Connect(bound);
    harness.RunUntil("the refusal", [&] { return !client.connect.Waits(); });
    CHECK(client.connect.error == ErrorCode::kConnectionRefused);
  });
}

}  // namespace
}  // namespace netcore::contract
