// The contract suite: sending at once what need not be copied.
#include "tests/port/contract_fixture.h"

namespace netcore::contract {
namespace {

bool SendsAtOnce(Harness& harness) { return harness.Name() != "iocp"; }

// Until nothing more is taken, as the peer reads nothing. Returns all that left.
std::string FillUpAtOnce(Side& side) {
  std::string sent;
  for (std::uint32_t round = 0; round < 10'000; ++round) {
    const std::string block = RandomBytes(10'000, round);
    const std::size_t count = side.SendAtOnce(block);
    if (count == 0) return sent;
    REQUIRE(count <= block.size());
    sent += block.substr(0, count);
  }
  FAIL("100 MB went to a peer that reads nothing");
  return sent;
}

TEST_CASE("a send at once says what has left, and nothing completes", "[contract][send][at_once]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    const std::size_t sent = client.SendAtOnce("hello");
    CHECK(sent == (SendsAtOnce(harness) ? 5 : 0));
    CHECK(harness.HandOutReady() == 0);
    if (sent == 0) return;
    harness.RunUntil("the bytes", [&] { return server.received == "hello"; });
    CHECK(client.send.finals == 0);
  });
}

TEST_CASE("after a send at once the next one may follow, of either kind",
          "[contract][send][at_once]") {
  ForEachBackend([](Harness& harness) {
    if (!SendsAtOnce(harness)) return;
    auto [client, server] = harness.NewPair();
    server.Recv();
    CHECK(client.SendAtOnce("one") == 3);
    CHECK(client.SendAtOnce(" two") == 4);
    client.Send(" three");
    harness.RunUntil("the send", [&] { return !client.send.Waits(); });
    CHECK(client.send.bytes == 6);
    CHECK(client.SendAtOnce(" four") == 5);
    harness.RunUntil("the bytes", [&] { return server.received == "one two three four"; });
    CHECK(client.send.finals == 1);
  });
}

TEST_CASE("what leaves at once and what is left for a send arrive in order",
          "[contract][send][at_once]") {
  ForEachBackend([](Harness& harness) {
    SocketOptions options;
    options.send_buffer_bytes = 16 * 1024;
    options.recv_buffer_bytes = 16 * 1024;
    auto [client, server] = harness.NewPair(options);
    server.Recv();
    std::string expected;
    for (std::uint32_t round = 0; round < 50; ++round) {
      const std::string block = RandomBytes(1 + round * 1'300, round);
      expected += block;
      const std::size_t sent = client.SendAtOnce(block);
      REQUIRE(sent <= block.size());
      if (sent < block.size()) client.Send(std::string_view(block).substr(sent));
      harness.RunUntil("the rest", [&] { return !client.send.Waits(); });
      REQUIRE_FALSE(client.send.error);
    }
    harness.RunUntil("the bytes", [&] { return server.received.size() >= expected.size(); });
    CHECK(SameBytes(server.received, expected));
  });
}

TEST_CASE("where the peer reads nothing a send at once takes what fits, and then nothing",
          "[contract][send][at_once]") {
  ForEachBackend([](Harness& harness) {
    if (!SendsAtOnce(harness)) return;
    auto [client, server] = harness.NewPair();
    const std::string sent = FillUpAtOnce(client);
    CHECK(!sent.empty());
    const std::size_t finals = client.send.finals;
    harness.RunFor(milliseconds(10));
    CHECK(client.send.finals == finals);
    server.Recv();
    harness.RunUntil("the bytes", [&] { return server.received.size() >= sent.size(); });
    CHECK(SameBytes(server.received, sent));
    client.Send("more");
    harness.RunUntil("more", [&] { return server.received == sent + "more"; });
  });
}

TEST_CASE("where a send at once fails the send behind it says why",
          "[contract][send][at_once][reset]") {
  ForEachBackend([](Harness& harness) {
    if (!SendsAtOnce(harness)) return;
    auto [client, server] = harness.NewPair();
    server.Close(CloseMode::kAbort);
    bool failed = false;
    harness.RunUntil("the failure", [&] {
      if (!client.send.Waits() && !failed) failed = client.SendAtOnce("anybody there?") == 0;
      return failed;
    });
    client.Send("anybody there?");
    harness.RunUntil("the reason", [&] { return !client.send.Waits(); });
    CHECK(client.send.error == ErrorCode::kConnectionReset);
  });
}

}  // namespace
}  // namespace netcore::contract
