// The contract suite: what is there for one pending event before a Dispatch has told of it. The
// client is on a port of its own, so that the server's is not asked meanwhile.
#include <chrono>
#include <string>
#include <thread>

#include "tests/port/contract_fixture.h"

namespace netcore::contract {
namespace {

constexpr std::size_t kServerPort = 0;
constexpr std::size_t kClientPort = 1;

Pair NewApartPair(Harness& harness, const SocketOptions& options = {}) {
  harness.AddPort();
  return harness.NewPair(options, kClientPort);
}

bool HasNews(Op& op, Side& side) { return side.Port().HasNews(op); }

// Nothing is dispatched but what `condition` dispatches.
template <typename Condition>
bool WaitFor(Condition&& condition) {
  const auto end = std::chrono::steady_clock::now() + kLimit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

// Dispatches the client's port alone until `condition` holds.
template <typename Condition>
bool RunClientUntil(Harness& harness, Condition&& condition) {
  return WaitFor([&] {
    if (condition()) return true;
    harness.Dispatch(milliseconds(0), kClientPort);
    return false;
  });
}

// The server's recv is with the system, which has nothing for it.
void RecvQuietly(Harness& harness, Side& server) {
  server.Recv();
  for (int i = 0; i < 3; ++i) harness.Dispatch(milliseconds(0), kServerPort);
  CHECK_FALSE(HasNews(server.recv, server));
}

TEST_CASE("an event that is not pending has no news", "[contract][news]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = NewApartPair(harness);
    client.Send("hello");
    CHECK(RunClientUntil(harness, [&] { return client.SentAll() || !client.send.Waits(); }));
    CHECK_FALSE(HasNews(server.recv, server));
    CHECK_FALSE(HasNews(server.send, server));
    CHECK_FALSE(HasNews(server.connect, server));
  });
}

TEST_CASE("a recv has news when bytes have come, and none when they were handed out",
          "[contract][news]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = NewApartPair(harness);
    for (int round = 1; round <= 3; ++round) {
      if (round == 1) RecvQuietly(harness, server);
      client.Send("hello");
      REQUIRE(RunClientUntil(harness, [&] { return HasNews(server.recv, server); }));
      CHECK(HasNews(server.recv, server));
      CHECK(server.received.size() == 5 * std::size_t(round - 1));
      harness.RunUntil("the bytes",
                       [&] { return server.received.size() == 5 * std::size_t(round); });
      CHECK(RunClientUntil(harness, [&] { return !client.send.Waits(); }));
      harness.Dispatch(milliseconds(0), kServerPort);
      CHECK_FALSE(HasNews(server.recv, server));
    }
  });
}

TEST_CASE("a paused recv has news of bytes too", "[contract][news]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = NewApartPair(harness);
    RecvQuietly(harness, server);
    server.Pause();
    client.Send("hello");
    REQUIRE(RunClientUntil(harness, [&] { return HasNews(server.recv, server); }));
    for (int i = 0; i < 10; ++i) harness.Dispatch(milliseconds(1), kServerPort);
    CHECK(HasNews(server.recv, server));
    CHECK(server.received.empty());
    server.Resume();
    harness.RunUntil("the bytes", [&] { return server.received == "hello"; });
  });
}

TEST_CASE("a recv has news when its peer has closed or reset", "[contract][news]") {
  const bool resets = GENERATE(false, true);
  CAPTURE(resets);
  ForEachBackend([&](Harness& harness) {
    auto [client, server] = NewApartPair(harness);
    RecvQuietly(harness, server);
    if (resets) {
      client.Close(CloseMode::kAbort);
    } else {
      client.Shutdown();
    }
    REQUIRE(RunClientUntil(harness, [&] { return HasNews(server.recv, server); }));
    CHECK(server.recv.Waits());
    harness.RunUntil("the end", [&] { return !server.recv.Waits(); });
    CHECK(server.SawEnd() == !resets);
  });
}

TEST_CASE("news are of one socket alone", "[contract][news]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = NewApartPair(harness);
    auto [other_client, other_server] = harness.NewPair();
    static_cast<void>(other_client);
    RecvQuietly(harness, server);
    RecvQuietly(harness, other_server);
    client.SendAll(RandomBytes(1'000'000, 9));
    REQUIRE(RunClientUntil(harness, [&] { return HasNews(server.recv, server); }));
    CHECK_FALSE(HasNews(other_server.recv, other_server));
    // Some of it has been taken from the socket, and waits in the port.
    harness.Dispatch(milliseconds(0), kServerPort);
    CHECK_FALSE(HasNews(other_server.recv, other_server));
    harness.RunUntil("all bytes", [&] { return server.received.size() == 1'000'000; });
    CHECK_FALSE(HasNews(other_server.recv, other_server));
  });
}

TEST_CASE("what a handler's port has taken from another socket is news of that one",
          "[contract][news]") {
  // Both have bytes when the port looks. Whoever comes first asks about the other one.
  ForEachBackend([](Harness& harness) {
    auto [client, server] = NewApartPair(harness);
    auto [other_client, other_server] = harness.NewPair();
    RecvQuietly(harness, server);
    RecvQuietly(harness, other_server);
    client.Send("hello");
    REQUIRE(RunClientUntil(harness, [&] { return HasNews(server.recv, server); }));
    if (other_client.SendAtOnce("hello") == 0) other_client.Send("hello");
    REQUIRE(WaitFor([&, &side = other_server] { return HasNews(side.recv, side); }));
    int asked = 0;
    const auto ask = [&](Side& mine, Side& other) {
      return [&](Op& op, IoResult&) {
        if (&op != &mine.recv || !other.received.empty()) return;
        ++asked;
        CHECK(HasNews(other.recv, other));
      };
    };
    server.hook = ask(server, other_server);
    other_server.hook = ask(other_server, server);
    harness.RunUntil("both", [&, &one = server, &two = other_server] {
      return one.received == "hello" && two.received == "hello";
    });
    CHECK(asked == 1);
  });
}

TEST_CASE("a connect that was done while nobody asked has news", "[contract][news]") {
  ForEachBackend([](Harness& harness) {
    if (harness.Name() == "io_uring") return;  // begins with a Dispatch, and is done by the same
    Acceptor& acceptor = harness.NewAcceptor(1);
    Side& client = harness.NewSide();
    client.Open();
    client.Connect(acceptor.bound);
    CHECK(WaitFor([&] { return HasNews(client.connect, client); }));
    CHECK(client.connect.Waits());
    harness.RunUntil("the connect", [&] { return !client.connect.Waits(); });
  });
}

TEST_CASE("a send that is stuck has no news until its peer has read", "[contract][news]") {
  ForEachBackend([](Harness& harness) {
    SocketOptions options;
    options.send_buffer_bytes = 16 * 1024;
    options.recv_buffer_bytes = 16 * 1024;
    auto [client, server] = NewApartPair(harness, options);
    // The server sends, the client does not read.
    server.SendAll(RandomBytes(8'000'000, 10));
    int quiet = 0;  // looks in a row without news
    REQUIRE(WaitFor([&, &side = server] {
      harness.Dispatch(milliseconds(2), kServerPort);
      quiet = side.send.Waits() && !HasNews(side.send, side) ? quiet + 1 : 0;
      return quiet == 50;
    }));
    client.Recv();
    CHECK(RunClientUntil(harness, [&] { return HasNews(server.send, server); }));
    harness.RunUntil("all bytes", [&] { return client.received.size() == 8'000'000; });
  });
}

}  // namespace
}  // namespace netcore::contract
