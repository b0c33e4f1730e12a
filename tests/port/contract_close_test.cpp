// The contract suite: half-close, graceful close, abort, and owners that go away.
#include "tests/port/contract_fixture.h"

namespace netcore::contract {
namespace {

TEST_CASE("after the client's FIN the server goes on sending", "[contract][close]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    const std::string answer = RandomBytes(1024 * 1024, 10);
    client.Recv();
    server.Recv();
    client.Send("question");
    harness.RunUntil("the send", [&] { return !client.send.Waits(); });
    client.Shutdown();
    harness.RunUntil("the end", [&] { return !server.recv.Waits(); });
    CHECK(server.SawEnd());
    CHECK(server.received == "question");
    server.SendAll(answer);
    harness.RunUntil("the answer",
                     [&] { return server.SentAll() && client.received.size() >= answer.size(); });
    CHECK(client.recv.finals == 0);
    server.Close();
    harness.RunUntil("the other end", [&] { return !client.recv.Waits(); });
    CHECK(client.SawEnd());
    CHECK(SameBytes(client.received, answer));
  });
}

TEST_CASE("after the server's FIN the client goes on sending", "[contract][close]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    client.Recv();
    server.Recv();
    server.Shutdown();
    harness.RunUntil("the end", [&] { return !client.recv.Waits(); });
    CHECK(client.SawEnd());
    for (int count = 0; count < 20; ++count) {
      client.Send("more ");
      harness.RunUntil("the send", [&] { return !client.send.Waits(); });
      CHECK_FALSE(client.send.error);
    }
    harness.RunUntil("the bytes", [&] { return server.received.size() == 100; });
    client.Close();
    harness.RunUntil("the other end", [&] { return !server.recv.Waits(); });
    CHECK(server.SawEnd());
  });
}

TEST_CASE("both sides send FIN at the same time", "[contract][close]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    client.Recv();
    server.Recv();
    client.Shutdown();
    server.Shutdown();
    client.Shutdown();
    harness.RunUntil("both ends", [&] { return !client.recv.Waits() && !server.recv.Waits(); });
    CHECK(client.SawEnd());
    CHECK(server.SawEnd());
  });
}

TEST_CASE("a graceful close delivers everything sent, then the end", "[contract][close]") {
  ForEachBackend([](Harness& harness) {
    const std::string bytes = RandomBytes(256 * 1024, 11);
    auto [client, server] = harness.NewPair();
    server.Recv();
    server.Pause();
    // As much as the system takes without a reader; what it took it must deliver.
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      client.Send(std::string_view(bytes).substr(sent, 16 * 1024));
      for (int round = 0; round < 5 && client.send.Waits(); ++round)
        harness.Dispatch(milliseconds(10));
      if (client.send.Waits()) client.Cancel(client.send);
      harness.RunUntil("the send", [&] { return !client.send.Waits(); });
      sent += client.send.bytes;
      if (client.send.error) break;
    }
    CHECK(sent > 16 * 1024);
    client.Close();
    harness.RunFor(milliseconds(10));
    server.Resume();
    harness.RunUntil("the end", [&] { return !server.recv.Waits(); });
    CHECK(server.SawEnd());
    CHECK(SameBytes(server.received, bytes.substr(0, sent)));
  });
}

TEST_CASE("a graceful close with unread bytes ends in FIN, behind all that was sent",
          "[contract][close]") {
  const std::size_t unread = GENERATE(std::size_t{1}, std::size_t{5'000}, std::size_t{40'000});
  const bool began_to_read = GENERATE(false, true);
  INFO(unread << " unread bytes, began to read: " << began_to_read);
  ForEachBackend([&](Harness& harness) {
    const std::string question = RandomBytes(unread, 12);
    const std::string answer = RandomBytes(20'000, 13);
    auto [client, server] = harness.NewPair();
    if (began_to_read) {
      server.Recv();
      server.Pause();
    }
    client.SendAll(question);
    harness.RunUntil("the question", [&] { return client.SentAll(); });
    server.SendAll(answer);
    harness.RunUntil("the answer", [&] { return server.SentAll(); });
    harness.RunFor(milliseconds(10));  // what was sent is here, all of it or as much as fits
    if (began_to_read) {
      server.Cancel(server.recv);
      harness.RunUntil("the cancel", [&] { return !server.recv.Waits(); });
    }
    server.Close(CloseMode::kGraceful);
    harness.RunFor(milliseconds(10));
    client.Recv();
    harness.RunUntil("the end", [&] { return !client.recv.Waits(); });
    CHECK(client.SawEnd());
    CHECK(SameBytes(client.received, answer));
  });
}

TEST_CASE("an abort drops what was sent and resets the peer", "[contract][close][reset]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    client.Send("may be lost");
    harness.RunUntil("the send", [&] { return !client.send.Waits(); });
    client.Close(CloseMode::kAbort);
    server.Recv();
    harness.RunUntil("the reset", [&] { return !server.recv.Waits(); });
    CHECK(server.recv.error == ErrorCode::kConnectionReset);
  });
}

TEST_CASE("an abort after our own FIN still resets the peer", "[contract][close][reset]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    client.Shutdown();
    harness.RunFor(milliseconds(10));
    client.Close(CloseMode::kAbort);
    // The end of the stream may have been read first: what is sent then is refused.
    harness.RunUntil("the failure", [&] {
      if (server.send.error) return true;
      if (!server.send.Waits()) server.Send("anybody there?");
      return false;
    });
    CHECK(server.send.error == ErrorCode::kConnectionReset);
  });
}

TEST_CASE("an accepted socket that nobody adopts resets its client", "[contract][close][accept]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(1);
    Side& client = harness.NewSide();
    client.Open();
    client.Connect(acceptor.bound);
    harness.RunUntil("the connection",
                     [&] { return !client.connect.Waits() && !acceptor.accepted.empty(); });
    client.Recv();
    harness.RunFor(milliseconds(5));
    acceptor.accepted.clear();
    harness.RunUntil("the reset", [&] { return !client.recv.Waits(); });
    CHECK(client.recv.error == ErrorCode::kConnectionReset);
  });
}

TEST_CASE("a port that goes away resets the connections that are still open",
          "[contract][close][reset]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(1);
    Side& client = harness.NewSide();
    client.Open();
    client.Connect(acceptor.bound);
    harness.RunUntil("the connection",
                     [&] { return !client.connect.Waits() && !acceptor.accepted.empty(); });
    client.Recv();
    {
      std::unique_ptr<CompletionPort> other;
      REQUIRE_FALSE(harness.Factory().MakePort(other));
      REQUIRE_FALSE(other->AttachThread());
      REQUIRE(other->Adopt(acceptor.Take(client.Local()), {}) != nullptr);
      static_cast<void>(other->Dispatch(Duration::zero()));
    }
    harness.RunUntil("the reset", [&] { return !client.recv.Waits(); });
    CHECK(client.recv.error == ErrorCode::kConnectionReset);
  });
}

TEST_CASE("a socket is closed from inside its final completion", "[contract][close]") {
  ForEachBackend([](Harness& harness) {
    std::vector<Pair> pairs;
    for (int count = 0; count < 20; ++count) {
      pairs.push_back(harness.NewPair());
      Side& server = pairs.back().server;
      server.hook = [&server](Op& op, IoResult& result) {
        if (&op == &server.recv && !result.more) server.Close();
      };
      server.Recv();
    }
    for (const Pair& pair : pairs) {
      pair.client.Recv();
      pair.client.Shutdown();
    }
    for (const Pair& pair : pairs) {
      harness.RunUntil("the echo of the FIN", [&] { return !pair.client.recv.Waits(); });
      CHECK(pair.client.SawEnd());
      CHECK_FALSE(pair.server.IsOpen());
    }
  });
}

TEST_CASE("one completion ends another socket whose events are in the same batch",
          "[contract][close][cancel]") {
  ForEachBackend([](Harness& harness) {
    // All servers have something to read; the first that is told cancels the others, and each of
    // those is closed in its own final completion.
    std::vector<Pair> pairs;
    for (int count = 0; count < 30; ++count) pairs.push_back(harness.NewPair());
    Side* first = nullptr;
    for (const Pair& pair : pairs) {
      pair.server.hook = [&first, &pairs, &side = pair.server](Op& op, IoResult& result) {
        if (&op != &side.recv) return;
        if (!result.more) {
          side.Close(CloseMode::kAbort);
        } else if (first == nullptr) {
          first = &side;
          for (const Pair& other : pairs)
            if (&other.server != first) other.server.Cancel(other.server.recv);
        }
      };
      pair.server.Recv();
    }
    for (const Pair& pair : pairs) pair.client.Send("now");
    harness.RunUntil("all but one are closed", [&] {
      std::size_t open = 0;
      for (const Pair& pair : pairs) open += pair.server.IsOpen() ? 1 : 0;
      return open == 1;
    });
    harness.RunFor(milliseconds(10));
    CHECK(first->IsOpen());
    for (const Pair& pair : pairs) {
      CHECK(pair.server.recv.finals == (&pair.server == first ? 0 : 1));
      pair.server.hook = nullptr;
    }
  });
}

TEST_CASE("an idle socket is closed by another one's completion of the same batch",
          "[contract][close]") {
  ForEachBackend([](Harness& harness) {
    // B has bytes to read when A's completion closes it: its recv was ended before, so nothing is
    // pending, and nothing may come.
    auto [a_client, a_server] = harness.NewPair();
    auto [b_client, b_server] = harness.NewPair();
    b_server.Recv();
    b_server.Cancel(b_server.recv);
    harness.RunUntil("the cancel", [&] { return !b_server.recv.Waits(); });
    a_server.hook = [&a = a_server, &b = b_server](Op& op, IoResult& result) {
      if (&op == &a.recv && result.more && b.IsOpen()) b.Close(CloseMode::kAbort);
    };
    a_server.Recv();
    b_client.Send("to B");
    a_client.Send("to A");
    harness.RunUntil("A's bytes", [&] { return a_server.received == "to A"; });
    harness.RunFor(milliseconds(10));
    CHECK_FALSE(b_server.IsOpen());
    CHECK(b_server.received.empty());
  });
}

/// Destroys itself in its final completion, its event with it.
class Suicidal final : public IocpObject {
 public:
  Suicidal(CompletionPort& port, OwnedSocket socket, int& ends)
      : port_(port), socket_(port.Adopt(std::move(socket), {})), ends_(ends) {
    port_.SubmitRecv(*socket_, event_);
  }

  void Dispatch(IocpEvent&, IoResult& result) noexcept override {
    if (result.more) return;
    port_.Close(*socket_, CloseMode::kGraceful);
    ++ends_;
    delete this;
  }

 private:
  CompletionPort& port_;
  PortSocket* socket_;
  IocpEvent event_{EventKind::kRecv, *this};
  int& ends_;
};

TEST_CASE("an owner destroys itself inside its final completion", "[contract][close]") {
  ForEachBackend([](Harness& harness) {
    Acceptor& acceptor = harness.NewAcceptor(4);
    int ends = 0;
    for (int count = 0; count < 20; ++count) {
      Side& client = harness.NewSide();
      client.Open();
      client.Connect(acceptor.bound);
      harness.RunUntil("the connection",
                       [&] { return !client.connect.Waits() && !acceptor.accepted.empty(); });
      new Suicidal(harness.Port(), acceptor.Take(client.Local()), ends);
      client.Recv();
      client.Shutdown();
      const TimePoint end = harness.Port().Now() + kLimit;
      // The owner is none of the harness's, so its completion is in no count.
      while (client.recv.Waits() && harness.Port().Now() < end)
        static_cast<void>(harness.DispatchUncounted(milliseconds(5)));
      CHECK(client.SawEnd());
      CHECK(ends == count + 1);
    }
  });
}

}  // namespace
}  // namespace netcore::contract
