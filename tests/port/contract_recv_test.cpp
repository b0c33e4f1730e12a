// The contract suite: the recv stream, and pausing it.
#include <random>

#include "tests/port/contract_fixture.h"

namespace netcore::contract {
namespace {

TEST_CASE("a thousand small messages come through one recv submit", "[contract][recv]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    std::string expected;
    for (int count = 0; count < 1000; ++count) {
      const std::string message = "message " + std::to_string(count) + ";";
      expected += message;
      client.Send(message);
      harness.RunUntil("the message", [&] {
        return !client.send.Waits() && server.received.size() >= expected.size();
      });
    }
    CHECK(SameBytes(server.received, expected));
    CHECK(server.recv_count >= 1000);
    CHECK(server.recv.finals == 0);
    client.Close();
    harness.RunUntil("the end", [&] { return !server.recv.Waits(); });
    CHECK(server.SawEnd());
    CHECK(server.recv.finals == 1);
  });
}

TEST_CASE("ten megabytes arrive exactly", "[contract][recv][send]") {
  ForEachBackend([](Harness& harness) {
    const std::uint32_t seed = NewSeed();
    CAPTURE(seed);
    const std::string bytes = RandomBytes(10 * 1024 * 1024, seed);
    auto [client, server] = harness.NewPair();
    server.Recv();
    client.SendAll(bytes);
    harness.RunUntil("all bytes",
                     [&] { return client.SentAll() && server.received.size() >= bytes.size(); });
    client.Close();
    harness.RunUntil("the end", [&] { return !server.recv.Waits(); });
    CHECK(server.SawEnd());
    CHECK(SameBytes(server.received, bytes));
  });
}

TEST_CASE("both sides send four megabytes at once", "[contract][recv][send]") {
  ForEachBackend([](Harness& harness) {
    const std::string up = RandomBytes(4 * 1024 * 1024, 1);
    const std::string down = RandomBytes(4 * 1024 * 1024, 2);
    auto [client, server] = harness.NewPair();
    client.Recv();
    server.Recv();
    client.SendAll(up);
    server.SendAll(down);
    harness.RunUntil("all bytes", [&] {
      return client.SentAll() && server.SentAll() && server.received.size() >= up.size() &&
             client.received.size() >= down.size();
    });
    CHECK(SameBytes(server.received, up));
    CHECK(SameBytes(client.received, down));
  });
}

TEST_CASE("the end of the stream is no bytes and no error", "[contract][recv]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    client.Shutdown();
    harness.RunUntil("the end", [&] { return !server.recv.Waits(); });
    CHECK(server.SawEnd());
    CHECK(server.received.empty());
    harness.RunFor(milliseconds(20));
    CHECK(server.recv.finals == 1);
  });
}

TEST_CASE("a recv after the end of the stream says the end again", "[contract][recv]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    client.Shutdown();
    harness.RunUntil("the end", [&] { return !server.recv.Waits(); });
    server.Recv();
    harness.RunUntil("the end again", [&] { return !server.recv.Waits(); });
    CHECK(server.SawEnd());
    CHECK(server.recv.finals == 2);
  });
}

TEST_CASE("what was sent before the FIN is delivered before the end", "[contract][recv]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    const std::string bytes = RandomBytes(40000, 3);
    client.SendAll(bytes);
    harness.RunUntil("the send", [&] { return client.SentAll(); });
    client.Close();
    server.Recv();
    harness.RunUntil("the end", [&] { return !server.recv.Waits(); });
    CHECK(server.SawEnd());
    CHECK(SameBytes(server.received, bytes));
  });
}

TEST_CASE("bytes that came before the recv submit are delivered", "[contract][recv]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    client.Send("early");
    harness.RunUntil("the send", [&] { return !client.send.Waits(); });
    harness.RunFor(milliseconds(10));
    CHECK(server.received.empty());
    server.Recv();
    CHECK(server.received.empty());
    harness.RunUntil("the bytes", [&] { return server.received.size() == 5; });
    CHECK(server.received == "early");
  });
}

TEST_CASE("a peer's reset ends an idle recv with kConnectionReset", "[contract][recv][reset]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    harness.RunFor(milliseconds(5));
    client.Close(CloseMode::kAbort);
    harness.RunUntil("the reset", [&] { return !server.recv.Waits(); });
    CHECK(server.recv.error == ErrorCode::kConnectionReset);
    CHECK(server.recv.finals == 1);
  });
}

TEST_CASE("a reset that came before the recv submit is its completion", "[contract][recv][reset]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    client.Close(CloseMode::kAbort);
    harness.RunFor(milliseconds(20));
    server.Recv();
    CHECK(server.recv.finals == 0);
    harness.RunUntil("the reset", [&] { return !server.recv.Waits(); });
    CHECK(server.recv.error == ErrorCode::kConnectionReset);
  });
}

TEST_CASE("a cancelled idle recv completes once with kCancelled", "[contract][recv][cancel]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    harness.RunFor(milliseconds(5));
    server.Cancel(server.recv);
    CHECK(server.recv.finals == 0);
    server.Cancel(server.recv);
    harness.RunUntil("its completion", [&] { return !server.recv.Waits(); });
    CHECK(server.recv.error == ErrorCode::kCancelled);
    server.Cancel(server.recv);
    client.Send("later");
    harness.RunFor(milliseconds(20));
    CHECK(server.recv.finals == 1);
    CHECK(server.received.empty());
    server.Recv();
    harness.RunUntil("what came meanwhile", [&] { return server.received.size() == 5; });
    CHECK(server.received == "later");
  });
}

TEST_CASE("a recv cancelled in the same breath as its submit completes once",
          "[contract][recv][cancel]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    for (std::size_t count = 1; count <= 100; ++count) {
      server.Recv();
      server.Cancel(server.recv);
      harness.RunUntil("its completion", [&] { return !server.recv.Waits(); });
      CHECK(server.recv.error == ErrorCode::kCancelled);
      CHECK(server.recv.finals == count);
    }
    server.Recv();
    client.Send("still there");
    harness.RunUntil("the bytes", [&] { return server.received == "still there"; });
  });
}

TEST_CASE("cancelling and submitting recv again and again loses no byte",
          "[contract][recv][cancel]") {
  ForEachBackend([](Harness& harness) {
    const std::uint32_t seed = NewSeed();
    CAPTURE(seed);
    std::mt19937 random(seed);
    const std::string bytes = RandomBytes(4 * 1024 * 1024, seed);
    auto [client, server] = harness.NewPair();
    server.Recv();
    client.SendAll(bytes);
    std::size_t cancels = 0;
    harness.RunUntil("all bytes", [&] {
      if (!server.recv.Waits()) {
        server.Recv();
      } else if (cancels < 1000 && random() % 2 == 0) {
        server.Cancel(server.recv);
        ++cancels;
      }
      return server.received.size() >= bytes.size();
    });
    CHECK(cancels > 10);
    CHECK(SameBytes(server.received, bytes));
  });
}

TEST_CASE("a recv cancelled while bytes are there ends once and loses none",
          "[contract][recv][cancel]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    std::string expected;
    for (std::size_t count = 1; count <= 200; ++count) {
      const std::string message = std::to_string(count) + ",";
      expected += message;
      server.Recv();
      client.Send(message);
      harness.RunUntil("the send", [&] { return !client.send.Waits(); });
      server.Cancel(server.recv);
      harness.RunUntil("its completion", [&] { return !server.recv.Waits(); });
      CHECK(server.recv.error == ErrorCode::kCancelled);
      CHECK(server.recv.finals == count);
    }
    server.Recv();
    harness.RunUntil("the rest", [&] { return server.received.size() >= expected.size(); });
    CHECK(SameBytes(server.received, expected));
  });
}

TEST_CASE("what a recv lends begins on a cache line", "[contract][recv]") {
  ForEachBackend([](Harness& harness) {
    if (harness.IsMemory()) return;  // no kernel copies there
    auto [client, server] = harness.NewPair();
    std::size_t lent = 0;
    std::size_t misplaced = 0;
    server.hook = [&](Op&, IoResult& result) {
      if (result.data.empty()) return;
      ++lent;
      if (reinterpret_cast<std::uintptr_t>(result.data.data()) % 64 != 0) ++misplaced;
    };
    server.Recv();
    for (std::size_t count = 1; count <= 20; ++count) {
      client.Send("a message");
      harness.RunUntil("the message", [&] { return !client.send.Waits() && lent >= count; });
    }
    server.hook = nullptr;
    CHECK(misplaced == 0);
  });
}

TEST_CASE("recv is cancelled from inside its own completion", "[contract][recv][cancel]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    std::size_t after_cancel = 0;
    server.hook = [&, &side = server](Op& op, IoResult& result) {
      if (!result.more) return;
      if (op.cancelled) ++after_cancel;
      side.Cancel(op);
    };
    server.Recv();
    client.Send("one");
    harness.RunUntil("the final completion", [&] { return !server.recv.Waits(); });
    CHECK(server.recv.error == ErrorCode::kCancelled);
    CHECK(server.received == "one");
    CHECK(after_cancel == 0);
  });
}

TEST_CASE("recv is submitted again from inside its own final completion", "[contract][recv]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    std::size_t again = 0;
    server.hook = [&, &side = server](Op&, IoResult& result) {
      if (result.more || ++again > 20) return;
      side.Recv();
      side.Cancel(side.recv);
    };
    server.Recv();
    server.Cancel(server.recv);
    harness.RunUntil("twenty more rounds", [&] { return again > 20; });
    CHECK(server.recv.finals == 21);
    server.Recv();
    client.Send("and on it goes");
    harness.RunUntil("the bytes", [&] { return server.received == "and on it goes"; });
    server.hook = nullptr;
  });
}

TEST_CASE("nothing is delivered while recv is paused, all of it after the resume",
          "[contract][recv][pause]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    client.Send("first ");
    harness.RunUntil("the first bytes", [&] { return server.received == "first "; });
    server.Pause();
    client.Send("second ");
    harness.RunUntil("the send", [&] { return !client.send.Waits(); });
    harness.RunFor(milliseconds(30));
    CHECK(server.received == "first ");
    client.Send("third");
    harness.RunUntil("the send", [&] { return !client.send.Waits(); });
    client.Close();
    harness.RunFor(milliseconds(30));
    CHECK(server.received == "first ");
    CHECK(server.recv.finals == 0);
    server.Resume();
    CHECK(server.received == "first ");
    harness.RunUntil("the end", [&] { return !server.recv.Waits(); });
    CHECK(server.received == "first second third");
    CHECK(server.SawEnd());
  });
}

TEST_CASE("a recv paused in the same breath as its submit delivers nothing",
          "[contract][recv][pause]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    client.Send("waiting");
    harness.RunUntil("the send", [&] { return !client.send.Waits(); });
    server.Recv();
    server.Pause();
    harness.RunFor(milliseconds(20));
    CHECK(server.received.empty());
    server.Resume();
    harness.RunUntil("the bytes", [&] { return server.received == "waiting"; });
  });
}

TEST_CASE("a reset during a pause shows after the resume, and costs nothing meanwhile",
          "[contract][recv][pause][reset]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    harness.RunFor(milliseconds(5));
    server.Pause();
    client.Close(CloseMode::kAbort);
    harness.RunFor(milliseconds(20));
    CHECK(server.recv.finals == 0);
    // A port that is told of the reset over and over comes back from Dispatch at once.
    const TimePoint end = harness.Port().Now() + milliseconds(60);
    std::size_t rounds = 0;
    for (; harness.Port().Now() < end && rounds < 1000; ++rounds)
      harness.Dispatch(milliseconds(20));
    CHECK(rounds < 10);
    server.Resume();
    harness.RunUntil("the reset", [&] { return !server.recv.Waits(); });
    CHECK(server.recv.error == ErrorCode::kConnectionReset);
  });
}

TEST_CASE("the end of the stream during a pause costs nothing until the resume",
          "[contract][recv][pause]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    harness.RunFor(milliseconds(5));
    server.Pause();
    client.Send("last words");
    harness.RunUntil("the send", [&] { return !client.send.Waits(); });
    client.Close();
    harness.RunFor(milliseconds(20));
    const TimePoint end = harness.Port().Now() + milliseconds(60);
    std::size_t rounds = 0;
    for (; harness.Port().Now() < end && rounds < 1000; ++rounds)
      harness.Dispatch(milliseconds(20));
    CHECK(rounds < 10);
    CHECK(server.received.empty());
    server.Resume();
    harness.RunUntil("the end", [&] { return !server.recv.Waits(); });
    CHECK(server.SawEnd());
    CHECK(server.received == "last words");
  });
}

TEST_CASE("recv is paused from inside its completion: none follows", "[contract][recv][pause]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    const std::string bytes = RandomBytes(1024 * 1024, 4);
    server.hook = [&side = server](Op& op, IoResult& result) {
      if (&op == &side.recv && result.more) side.Pause();
    };
    server.Recv();
    client.SendAll(bytes);
    for (std::size_t count = 1; count <= 5; ++count) {
      harness.RunUntil("a completion", [&] { return server.recv_count >= count; });
      harness.RunFor(milliseconds(10));
      CHECK(server.recv_count == count);
      server.Resume();
    }
    server.hook = nullptr;
    server.Resume();
    harness.RunUntil("all bytes", [&] { return server.received.size() >= bytes.size(); });
    CHECK(SameBytes(server.received, bytes));
  });
}

TEST_CASE("pausing twice and resuming twice are as once", "[contract][recv][pause]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    server.Resume();
    server.Pause();
    server.Pause();
    client.Send("abc");
    harness.RunFor(milliseconds(20));
    CHECK(server.received.empty());
    server.Resume();
    server.Resume();
    harness.RunUntil("the bytes", [&] { return server.received == "abc"; });
    server.Pause();
    server.Resume();
    client.Send("def");
    harness.RunUntil("the bytes", [&] { return server.received == "abcdef"; });
    CHECK(server.recv.finals == 0);
  });
}

TEST_CASE("a paused recv that is cancelled completes once", "[contract][recv][pause][cancel]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    const bool with_bytes = GENERATE(false, true);
    CAPTURE(with_bytes);
    server.Recv();
    harness.RunFor(milliseconds(5));
    server.Pause();
    if (with_bytes) client.Send("kept");
    harness.RunFor(milliseconds(10));
    server.Cancel(server.recv);
    harness.RunUntil("its completion", [&] { return !server.recv.Waits(); });
    CHECK(server.recv.error == ErrorCode::kCancelled);
    harness.RunFor(milliseconds(10));
    CHECK(server.recv.finals == 1);
    server.Recv();
    if (!with_bytes) client.Send("kept");
    harness.RunUntil("the bytes", [&] { return server.received == "kept"; });
  });
}

TEST_CASE("a pause with a send in flight does not disturb it", "[contract][recv][send][pause]") {
  ForEachBackend([](Harness& harness) {
    const std::string bytes = RandomBytes(2 * 1024 * 1024, 5);
    auto [client, server] = harness.NewPair();
    client.Recv();
    server.Recv();
    server.SendAll(bytes);
    server.Pause();
    client.Send("held back");
    harness.RunUntil("all bytes", [&] { return client.received.size() >= bytes.size(); });
    CHECK(SameBytes(client.received, bytes));
    CHECK(server.received.empty());
    server.Resume();
    harness.RunUntil("what was held back", [&] { return server.received == "held back"; });
  });
}

TEST_CASE("two thousand random pauses and resumes lose no byte", "[contract][recv][pause]") {
  ForEachBackend([](Harness& harness) {
    const std::uint32_t seed = NewSeed();
    CAPTURE(seed);
    std::mt19937 random(seed);
    const std::string bytes = RandomBytes(4 * 1024 * 1024, seed);
    auto [client, server] = harness.NewPair();
    server.Recv();
    client.SendAll(bytes);
    bool paused = false;
    for (int toggle = 0; toggle < 2000; ++toggle) {
      paused ? server.Resume() : server.Pause();
      paused = !paused;
      for (auto rounds = random() % 3; rounds > 0; --rounds) harness.Dispatch(Duration::zero());
    }
    REQUIRE_FALSE(paused);
    harness.RunUntil("all bytes", [&] { return server.received.size() >= bytes.size(); });
    CHECK(SameBytes(server.received, bytes));
  });
}

TEST_CASE("what arrives during a pause is bounded: the sender is held back",
          "[contract][recv][pause]") {
  ForEachBackend([](Harness& harness) {
    std::string bytes(64 * 1024 * 1024, 'x');
    auto [client, server] = harness.NewPair();
    server.Recv();
    server.Pause();
    client.SendAll(std::move(bytes));
    harness.RunFor(milliseconds(200));
    CHECK_FALSE(client.SentAll());
    CHECK(client.AllSentBytes() < 16 * 1024 * 1024);
  });
}

TEST_CASE("a hundred streams at once each arrive exactly", "[contract][recv][send]") {
  ForEachBackend([](Harness& harness) {
    // More arrives at once than any port has buffers for.
    const std::string bytes = RandomBytes(256 * 1024 + 100, 12);
    std::vector<Pair> pairs;
    for (int count = 0; count < 100; ++count) pairs.push_back(harness.NewPair());
    for (const Pair& pair : pairs) pair.client.SendAll(bytes);
    harness.RunFor(milliseconds(20));
    for (const Pair& pair : pairs) pair.server.Recv();
    std::size_t wrong = 0;
    for (const Pair& pair : pairs) {
      harness.RunUntil("its bytes", [&] {
        return pair.client.SentAll() && pair.server.received.size() >= bytes.size();
      });
      wrong += pair.server.received == bytes ? 0 : 1;
      CHECK(pair.server.recv.finals == 0);
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("recv submitted after its reset ends once more, with no bytes",
          "[contract][recv][reset]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    client.Close(CloseMode::kAbort);
    harness.RunUntil("the reset", [&] { return !server.recv.Waits(); });
    CHECK(server.recv.error == ErrorCode::kConnectionReset);
    server.Recv();
    CHECK(server.recv.finals == 1);
    // Whether a system still knows of the reset is its own affair.
    harness.RunUntil("the second end", [&] { return !server.recv.Waits(); });
    CHECK((!server.recv.error || server.recv.error == ErrorCode::kConnectionReset ||
           server.recv.error == ErrorCode::kNotConnected));
    CHECK(server.received.empty());
  });
}

TEST_CASE("a paused stream leaves the others of the port alone", "[contract][recv][pause]") {
  ForEachBackend([](Harness& harness) {
    std::vector<Pair> pairs;
    for (int count = 0; count < 10; ++count) {
      pairs.push_back(harness.NewPair());
      pairs.back().server.Recv();
    }
    const std::string flood(8 * 1024 * 1024, 'f');
    const std::string bytes = RandomBytes(500000, 13);
    for (std::size_t index = 0; index < pairs.size(); ++index) {
      if (index % 2 == 0) pairs[index].server.Pause();
      pairs[index].client.SendAll(index % 2 == 0 ? flood : bytes);
    }
    for (std::size_t index = 1; index < pairs.size(); index += 2) {
      const Side& server = pairs[index].server;
      harness.RunUntil("its bytes", [&] { return server.received.size() >= bytes.size(); });
      CHECK(SameBytes(server.received, bytes));
    }
    for (std::size_t index = 0; index < pairs.size(); index += 2) {
      Side& server = pairs[index].server;
      CHECK(server.received.empty());
      server.Resume();
      harness.RunUntil("its bytes", [&] { return server.received.size() >= flood.size(); });
      CHECK(SameBytes(server.received, flood));
    }
  });
}

TEST_CASE("a quick stream does not starve a slow one", "[contract][recv][dispatch]") {
  ForEachBackend([](Harness& harness) {
    auto [fast_client, fast_server] = harness.NewPair();
    auto [slow_client, slow_server] = harness.NewPair();
    bool running = true;
    fast_server.keep_received = false;
    const std::string block = RandomBytes(CompletionPort::kMaxSendBytes, 7);
    fast_client.hook = [&, &side = fast_client](Op& op, IoResult& result) {
      if (&op == &side.send && !result.error && running) side.Send(block);
    };
    fast_server.Recv();
    slow_server.Recv();
    fast_client.Send(block);
    const std::uint64_t before = fast_server.received_bytes;
    for (std::size_t count = 1; count <= 50; ++count) {
      slow_client.Send("x");
      // Each message passes within a bounded number of rounds, however busy the other stream is.
      std::size_t rounds = 0;
      while (slow_server.received.size() < count && rounds < 2000) {
        harness.Dispatch(milliseconds(1));
        ++rounds;
      }
      REQUIRE(slow_server.received.size() == count);
      harness.RunUntil("the send", [&] { return !slow_client.send.Waits(); });
    }
    CHECK(fast_server.received_bytes > before);
    running = false;
  });
}

}  // namespace
}  // namespace netcore::contract
