// The contract suite: sending.
#include <algorithm>
#include <array>

#include "tests/port/contract_fixture.h"

namespace netcore::contract {
namespace {

SocketOptions TinyBuffers() {
  SocketOptions options;
  options.send_buffer_bytes = 4096;
  options.recv_buffer_bytes = 4096;
  return options;
}

// Sends until one stays pending because the peer reads nothing. Returns what is with the system.
std::size_t FillUp(Harness& harness, Side& side) {
  const std::string block = RandomBytes(CompletionPort::kMaxSendBytes, 8);
  std::size_t sent = 0;
  for (int count = 0; count < 1000; ++count) {
    side.Send(block);
    for (int round = 0; round < 10 && side.send.Waits(); ++round)
      harness.Dispatch(milliseconds(10));
    if (side.send.Waits()) return sent;
    REQUIRE_FALSE(side.send.error);
    sent += side.send.bytes;
  }
  FAIL("64 MB went to a peer that reads nothing");
  return sent;
}

TEST_CASE("a send completes with all its bytes, never inside the submit", "[contract][send]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    client.Send("hello");
    CHECK(client.send.finals == 0);
    harness.RunUntil("the send", [&] { return !client.send.Waits(); });
    CHECK_FALSE(client.send.error);
    CHECK(client.send.bytes == 5);
    harness.RunUntil("the bytes", [&] { return server.received == "hello"; });
    CHECK(client.send.finals == 1);
  });
}

TEST_CASE("sixty-four slices leave in order in one send", "[contract][send]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    std::vector<std::string> parts;
    std::vector<SendSlice> slices;
    std::string expected;
    for (std::size_t part = 0; part < CompletionPort::kMaxSendSlices; ++part)
      parts.push_back(RandomBytes(1 + part * 7, static_cast<std::uint32_t>(part)));
    for (const std::string& part : parts) {
      slices.push_back(AsBytes(part));
      expected += part;
    }
    client.SendSlices(slices);
    // The array is the caller's again.
    std::fill(slices.begin(), slices.end(), SendSlice());
    harness.RunUntil("the send", [&] { return !client.send.Waits(); });
    CHECK_FALSE(client.send.error);
    CHECK(client.send.bytes == expected.size());
    harness.RunUntil("the bytes", [&] { return server.received.size() >= expected.size(); });
    CHECK(SameBytes(server.received, expected));
  });
}

TEST_CASE("a gather larger than the socket's buffers leaves whole and in order",
          "[contract][send]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair(TinyBuffers());
    std::string expected;
    for (int round = 0; round < 5; ++round) {
      std::vector<std::string> parts;
      std::vector<SendSlice> slices;
      for (std::uint32_t part = 0; part < CompletionPort::kMaxSendSlices; ++part)
        parts.push_back(RandomBytes(1024, part + 100));
      for (const std::string& part : parts) {
        slices.push_back(AsBytes(part));
        expected += part;
      }
      client.SendSlices(slices);
      std::fill(slices.begin(), slices.end(), SendSlice());
      if (round == 0) {
        harness.RunFor(milliseconds(10));
        server.Recv();
      }
      harness.RunUntil("the send", [&] { return !client.send.Waits(); });
      CHECK(client.send.bytes == CompletionPort::kMaxSendBytes);
    }
    harness.RunUntil("the bytes", [&] { return server.received.size() >= expected.size(); });
    CHECK(SameBytes(server.received, expected));
  });
}

TEST_CASE("a megabyte is echoed through the smallest buffers", "[contract][send][recv]") {
  ForEachBackend([](Harness& harness) {
    const std::uint32_t seed = NewSeed();
    CAPTURE(seed);
    const std::string bytes = RandomBytes(1024 * 1024, seed);
    auto [client, server] = harness.NewPair(TinyBuffers());
    // Reads pause while an echo is on its way: the pressure goes back to the client.
    server.hook = [&side = server](Op& op, IoResult& result) {
      if (&op == &side.recv && result.more) {
        side.Pause();
        side.Send(
            std::string_view(side.received).substr(side.received.size() - result.data.size()));
      } else if (&op == &side.send && !result.error) {
        side.Resume();
      }
    };
    client.Recv();
    server.Recv();
    client.SendAll(bytes);
    harness.RunUntil("the echo", [&] { return client.received.size() >= bytes.size(); });
    CHECK(SameBytes(client.received, bytes));
  });
}

TEST_CASE("a thousand sends of one byte arrive in order", "[contract][send]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    const std::string bytes = RandomBytes(1000, 9);
    server.Recv();
    for (const char& byte : bytes) {
      client.Send({&byte, 1});
      harness.RunUntil("the send", [&] { return !client.send.Waits(); });
      CHECK(client.send.bytes == 1);
    }
    harness.RunUntil("the bytes", [&] { return server.received.size() >= bytes.size(); });
    CHECK(SameBytes(server.received, bytes));
  });
}

TEST_CASE("a send is submitted again from inside its own completion", "[contract][send]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    constexpr std::size_t kSends = 5000;  // a port that handles them inline runs out of stack
    server.Recv();
    client.hook = [&side = client](Op& op, IoResult&) {
      if (op.finals < kSends) side.Send(std::to_string(op.finals) + " ");
    };
    client.Send("0 ");
    std::string expected;
    for (std::size_t count = 0; count < kSends; ++count) expected += std::to_string(count) + " ";
    harness.RunUntil("the bytes", [&] { return server.received.size() >= expected.size(); });
    CHECK(server.received == expected);
  });
}

TEST_CASE("a send to a peer that reads nothing stays pending and leaves when it reads",
          "[contract][send]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair(TinyBuffers());
    server.keep_received = false;
    const std::size_t sent = FillUp(harness, client);
    harness.RunFor(milliseconds(30));
    CHECK(client.send.Waits());
    server.Recv();
    harness.RunUntil("the send", [&] { return !client.send.Waits(); });
    CHECK_FALSE(client.send.error);
    harness.RunUntil("all bytes",
                     [&] { return server.received_bytes == sent + CompletionPort::kMaxSendBytes; });
  });
}

TEST_CASE("a send to a peer that has closed its write side and reads late waits for it",
          "[contract][send][close]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair(TinyBuffers());
    server.keep_received = false;
    client.Recv();
    server.Shutdown();
    harness.RunUntil("the end of the stream", [&] { return !client.recv.Waits(); });
    const std::size_t sent = FillUp(harness, client);
    harness.RunFor(milliseconds(30));
    CHECK(client.send.Waits());
    server.Recv();
    harness.RunUntil("the send", [&] { return !client.send.Waits(); });
    CHECK_FALSE(client.send.error);
    harness.RunUntil("all bytes",
                     [&] { return server.received_bytes == sent + CompletionPort::kMaxSendBytes; });
  });
}

TEST_CASE("a send that waits for a half-closed peer is cancelled", "[contract][send][cancel]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair(TinyBuffers());
    server.keep_received = false;
    // Pending already when the peer's FIN comes, and not recv but the send meets it first.
    const std::size_t sent = FillUp(harness, client);
    server.Shutdown();
    harness.RunFor(milliseconds(30));
    CHECK(client.send.Waits());
    client.Cancel(client.send);
    harness.RunUntil("its completion", [&] { return !client.send.Waits(); });
    CHECK(client.send.error == ErrorCode::kCancelled);
    const std::size_t total = sent + client.send.bytes;
    client.Close();
    server.Recv();
    harness.RunUntil("what left before", [&] { return !server.recv.Waits(); });
    CHECK(server.SawEnd());
    CHECK(server.received_bytes == total);
  });
}

TEST_CASE("a cancelled send says how many bytes left, and no others arrive",
          "[contract][send][cancel]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair(TinyBuffers());
    server.keep_received = false;
    const std::size_t sent = FillUp(harness, client);
    client.Cancel(client.send);
    CHECK(client.send.Waits());
    harness.RunUntil("its completion", [&] { return !client.send.Waits(); });
    CHECK(client.send.error == ErrorCode::kCancelled);
    CHECK(client.send.bytes < CompletionPort::kMaxSendBytes);
    const std::size_t total = sent + client.send.bytes;
    client.Close();
    server.Recv();
    harness.RunUntil("the end", [&] { return !server.recv.Waits(); });
    CHECK(server.SawEnd());
    CHECK(server.received_bytes == total);
  });
}

TEST_CASE("a send cancelled as soon as it was submitted completes once, either way",
          "[contract][send][cancel]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    std::size_t left = 0;
    for (std::size_t count = 1; count <= 200; ++count) {
      client.Send("sixteen bytes...");
      client.Cancel(client.send);
      CHECK(client.send.finals == count - 1);
      harness.RunUntil("its completion", [&] { return !client.send.Waits(); });
      const Error& error = client.send.error;
      INFO(error.Message());
      CHECK((!error || error == ErrorCode::kCancelled));
      left += client.send.bytes;
      CHECK(client.send.finals == count);
    }
    client.Close();
    harness.RunUntil("the end", [&] { return !server.recv.Waits(); });
    CHECK(server.SawEnd());
    CHECK(server.received.size() == left);
  });
}

TEST_CASE("cancelling a send that is not pending does nothing", "[contract][send][cancel]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    client.Cancel(client.send);
    client.Send("one");
    harness.RunUntil("the send", [&] { return !client.send.Waits(); });
    CHECK_FALSE(client.send.error);
    client.Cancel(client.send);
    client.Send("two");
    client.send.cancelled = false;
    harness.RunUntil("the send", [&] { return !client.send.Waits(); });
    CHECK_FALSE(client.send.error);
    harness.RunUntil("the bytes", [&] { return server.received == "onetwo"; });
    CHECK(client.send.finals == 2);
  });
}

TEST_CASE("cancelling recv does not disturb the send that is pending",
          "[contract][send][recv][cancel]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair(TinyBuffers());
    server.keep_received = false;
    client.Recv();
    const std::size_t sent = FillUp(harness, client);
    client.Cancel(client.recv);
    harness.RunUntil("the recv's completion", [&] { return !client.recv.Waits(); });
    CHECK(client.recv.error == ErrorCode::kCancelled);
    CHECK(client.send.Waits());
    server.Recv();
    harness.RunUntil("the send", [&] { return !client.send.Waits(); });
    CHECK_FALSE(client.send.error);
    harness.RunUntil("all bytes",
                     [&] { return server.received_bytes == sent + CompletionPort::kMaxSendBytes; });
  });
}

TEST_CASE("cancelling a big send does not disturb the recv stream",
          "[contract][send][recv][cancel]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair(TinyBuffers());
    client.Recv();
    FillUp(harness, client);
    server.Send("before ");
    harness.RunUntil("the bytes", [&] { return client.received == "before "; });
    client.Cancel(client.send);
    harness.RunUntil("the send's completion", [&] { return !client.send.Waits(); });
    CHECK(client.send.error == ErrorCode::kCancelled);
    CHECK(client.recv.Waits());
    server.Send("after");
    harness.RunUntil("the bytes", [&] { return client.received == "before after"; });
  });
}

TEST_CASE("a send on a connection that was reset fails in its completion",
          "[contract][send][reset]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    client.Close(CloseMode::kAbort);
    harness.RunUntil("the reset", [&] { return !server.recv.Waits(); });
    server.Send("too late");
    CHECK(server.send.finals == 0);
    harness.RunUntil("the failure", [&] { return !server.send.Waits(); });
    CHECK(server.send.error == ErrorCode::kConnectionReset);
    CHECK(server.send.bytes == 0);
  });
}

TEST_CASE("a peer that resets while a send is pending ends it with kConnectionReset",
          "[contract][send][reset]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair(TinyBuffers());
    FillUp(harness, client);
    server.Close(CloseMode::kAbort);
    harness.RunUntil("the failure", [&] { return !client.send.Waits(); });
    CHECK(client.send.error == ErrorCode::kConnectionReset);
    CHECK(client.send.bytes < CompletionPort::kMaxSendBytes);
  });
}

TEST_CASE("a peer that resets ends the recv and the send, each once",
          "[contract][send][recv][reset]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair(TinyBuffers());
    client.Recv();
    FillUp(harness, client);
    const std::size_t sends = client.send.finals;
    server.Close(CloseMode::kAbort);
    harness.RunUntil("both ends", [&] { return !client.AnythingPending(); });
    CHECK(client.send.error == ErrorCode::kConnectionReset);
    CHECK(client.recv.error == ErrorCode::kConnectionReset);
    harness.RunFor(milliseconds(10));
    CHECK(client.send.finals == sends + 1);
    CHECK(client.recv.finals == 1);
  });
}

TEST_CASE("sends to a peer that has closed end in kConnectionReset", "[contract][send][reset]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Close();
    // The first one or two may still leave: the answer to them is the reset.
    harness.RunUntil("the failure", [&] {
      if (client.send.error) return true;
      if (!client.send.Waits()) client.Send("anybody there?");
      return false;
    });
    CHECK(client.send.error == ErrorCode::kConnectionReset);
  });
}

TEST_CASE("a send after our own FIN fails in its completion", "[contract][send]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    client.Shutdown();
    client.Send("too late");
    CHECK(client.send.finals == 0);
    harness.RunUntil("the failure", [&] { return !client.send.Waits(); });
    CHECK(client.send.error == ErrorCode::kConnectionReset);
    CHECK(client.send.bytes == 0);
    harness.RunUntil("the end", [&] { return !server.recv.Waits(); });
    CHECK(server.SawEnd());
    CHECK(server.received.empty());
  });
}

}  // namespace
}  // namespace netcore::contract
