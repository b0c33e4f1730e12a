// io_uring: a cancel that the kernel refuses while the operation stays pending.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <deque>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "netcore/port/linux/linux_sockets.h"
#include "tests/port/linux/scripted_ring.h"
#include "tests/support/descriptors.h"

namespace netcore::linux_port {
namespace {

using contract::Acceptor;
using contract::Harness;
using contract::milliseconds;
using contract::RandomBytes;
using contract::Side;
using test::DescriptorCount;

using Lines = std::vector<std::string>;

// What a kernel may answer before it cancels.
const std::vector<std::deque<int>>& Refusals() {
  static const std::vector<std::deque<int>> all{
      {-ENOENT},
      {-EALREADY},
      {-ENOENT, -ENOENT, -EALREADY, -ENOENT, -EALREADY, -EALREADY},
      std::deque<int>(40, -EALREADY),  // more than are asked for without a pause
  };
  return all;
}

// Sends until the peer, which reads nothing, makes one wait.
void FillUp(Harness& harness, Side& side) {
  const std::string chunk = RandomBytes(CompletionPort::kMaxSendBytes, 60);
  for (int i = 0; i < 1000; ++i) {
    side.Send(chunk);
    for (int round = 0; round < 3 && side.send.Waits(); ++round) {
      harness.Dispatch(milliseconds(5));
    }
    if (side.send.Waits()) return;
  }
  FAIL("the peer's buffers have no end");
}

SocketOptions SmallBuffers() {
  SocketOptions options;
  options.send_buffer_bytes = 8 * 1024;
  options.recv_buffer_bytes = 8 * 1024;
  return options;
}

TEST_CASE("a send whose cancel is refused is cancelled by a later one", "[io_uring][cancel]") {
  for (const std::deque<int>& refusals : Refusals()) {
    OnScriptedRing([&](Harness& harness, ScriptedRing& ring, Lines&) {
      auto [client, server] = harness.NewPair(SmallBuffers());
      FillUp(harness, server);
      ring.cancel_refusals = refusals;
      server.Cancel(server.send);
      harness.RunUntil("the end of the send", [&] { return !server.send.Waits(); });
      CHECK(server.send.error == ErrorCode::kCancelled);
      CHECK(ring.cancel_refusals.empty());
      CHECK(client.IsOpen());
    });
  }
}

TEST_CASE("a recv stream whose cancel is refused is cancelled by a later one",
          "[io_uring][cancel]") {
  for (const std::deque<int>& refusals : Refusals()) {
    OnScriptedRing([&](Harness& harness, ScriptedRing& ring, Lines&) {
      auto [client, server] = harness.NewPair();
      server.Recv();
      harness.RunFor(milliseconds(5));
      ring.cancel_refusals = refusals;
      server.Cancel(server.recv);
      harness.RunUntil("the end of the stream", [&] { return !server.recv.Waits(); });
      CHECK(server.recv.error == ErrorCode::kCancelled);
      CHECK(ring.cancel_refusals.empty());
      CHECK(client.IsOpen());
    });
  }
}

TEST_CASE("a pause whose cancel is refused still pauses, and the stream goes on after it",
          "[io_uring][cancel]") {
  for (const std::deque<int>& refusals : Refusals()) {
    OnScriptedRing([&](Harness& harness, ScriptedRing& ring, Lines&) {
      auto [client, server] = harness.NewPair();
      server.Recv();
      client.Send("one");
      harness.RunUntil("the first bytes", [&] { return server.received == "one"; });
      ring.cancel_refusals = refusals;
      server.Pause();
      harness.RunUntil("the kernel has taken a cancel",
                       [&] { return ring.cancel_refusals.empty(); });
      client.Send("two");
      harness.RunUntil("the send", [&] { return !client.send.Waits(); });
      harness.RunFor(milliseconds(5));
      CHECK(server.received == "one");
      server.Resume();
      harness.RunUntil("the rest", [&] { return server.received == "onetwo"; });
    });
  }
}

TEST_CASE("a connect whose cancel is refused is cancelled by a later one", "[io_uring][cancel]") {
  for (const std::deque<int>& refusals : Refusals()) {
    OnScriptedRing([&](Harness& harness, ScriptedRing& ring, Lines&) {
      // Nobody accepts: behind a full backlog the kernel answers no more connects.
      const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      REQUIRE(listener >= 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      socklen_t length = sizeof address;
      auto* const generic = reinterpret_cast<sockaddr*>(&address);
      REQUIRE(::bind(listener, generic, length) == 0);
      REQUIRE(::listen(listener, 0) == 0);
      REQUIRE(::getsockname(listener, generic, &length) == 0);
      const Endpoint full = Endpoint::LoopbackIpv4(ntohs(address.sin_port));
      Side* waiting = nullptr;
      for (int i = 0; i < 8 && waiting == nullptr; ++i) {
        Side& side = harness.NewSide();
        side.Open();
        side.Connect(full);
        for (int round = 0; round < 4 && side.connect.Waits(); ++round) {
          harness.Dispatch(milliseconds(5));
        }
        if (side.connect.Waits()) waiting = &side;
      }
      REQUIRE(waiting != nullptr);
      ring.cancel_refusals = refusals;
      waiting->Cancel(waiting->connect);
      harness.RunUntil("the end of the connect", [&] { return !waiting->connect.Waits(); });
      CHECK(waiting->connect.error == ErrorCode::kCancelled);
      CHECK(ring.cancel_refusals.empty());
      ::close(listener);
    });
  }
}

TEST_CASE("a listener whose cancel is refused lets go of its descriptor all the same",
          "[io_uring][cancel]") {
  for (const std::deque<int>& refusals : Refusals()) {
    OnScriptedRing([&](Harness& harness, ScriptedRing& ring, Lines&) {
      const std::size_t before = DescriptorCount();
      Acceptor& acceptor = harness.NewAcceptor(3);
      harness.RunFor(milliseconds(5));
      ring.cancel_refusals = refusals;
      acceptor.CancelAll();
      harness.RunUntil("the accepts end", [&] { return !acceptor.AnythingPending(); });
      harness.RunUntil("the kernel has taken a cancel",
                       [&] { return ring.cancel_refusals.empty(); });
      acceptor.Close();
      harness.RunUntil("its descriptor is closed", [&] { return DescriptorCount() == before; });
    });
  }
}

TEST_CASE("a port that is destroyed while cancels are refused lets go of everything",
          "[io_uring][cancel]") {
  const std::size_t before = DescriptorCount();
  OnScriptedRing([&](Harness& harness, ScriptedRing& ring, Lines&) {
    Acceptor& acceptor = harness.NewAcceptor(3);
    harness.RunFor(milliseconds(5));
    ring.cancel_refusals = {-EALREADY, -ENOENT, -EALREADY};
    acceptor.CancelAll();
    harness.RunUntil("the accepts end", [&] { return !acceptor.AnythingPending(); });
    acceptor.Close();
  });
  CHECK(DescriptorCount() == before);
}

TEST_CASE("a cancel that is refused for long is asked for at a pace", "[io_uring][cancel]") {
  OnScriptedRing([&](Harness& harness, ScriptedRing& ring, Lines&) {
    auto [client, server] = harness.NewPair(SmallBuffers());
    FillUp(harness, server);
    ring.cancel_refusals = {-EALREADY};
    ring.refuses_for_ever = true;
    server.Cancel(server.send);
    const TimePoint begin = harness.Port().Now();
    const std::size_t enters = ring.enters;
    const std::size_t asked = ring.cancels_asked;
    for (int i = 0; i < 4; ++i) harness.Dispatch(milliseconds(20));
    // One a millisecond, and what comes before the pace sets in.
    const auto elapsed = std::chrono::ceil<milliseconds>(harness.Port().Now() - begin).count();
    const auto most = static_cast<std::size_t>(elapsed) + 20;
    CHECK(ring.cancels_asked - asked <= most);
    CHECK(ring.enters - enters <= 3 * most);
    ring.refuses_for_ever = false;
    harness.RunUntil("the end of the send", [&] { return !server.send.Waits(); });
    CHECK(client.IsOpen());
  });
}

TEST_CASE("a send that completes by itself is not asked for again, nor is the next one",
          "[io_uring][cancel]") {
  OnScriptedRing([&](Harness& harness, ScriptedRing& ring, Lines&) {
    auto [client, server] = harness.NewPair(SmallBuffers());
    FillUp(harness, server);
    ring.cancel_refusals = {-EALREADY};
    const std::size_t before = ring.cancels_asked;
    server.Cancel(server.send);
    CHECK(ring.cancels_asked == before + 1);
    // The peer makes room before the cancel is asked for again.
    client.Recv();
    harness.RunUntil("the end of the send", [&] { return !server.send.Waits(); });
    const std::size_t asked = ring.cancels_asked;
    CHECK(asked <= before + 2);
    const std::string more = RandomBytes(300'000, 61);
    server.SendAll(more);
    harness.RunUntil("all bytes", [&] { return server.SentAll(); });
    CHECK_FALSE(server.send.error);
    CHECK(ring.cancels_asked == asked);
  });
}

TEST_CASE("a socket that is closed right after its last completion outlives the cancel's answer",
          "[io_uring][cancel]") {
  OnScriptedRing([](Harness& harness, ScriptedRing&, Lines&) {
    for (int i = 0; i < 200; ++i) {
      auto [client, server] = harness.NewPair();
      server.Recv();
      harness.Dispatch(milliseconds(0));
      // The end of the stream and the cancel meet; which is first is the kernel's to say.
      client.Close();
      Side& ending = server;
      ending.hook = [&ending](contract::Op& op, IoResult& result) {
        if (&op == &ending.recv && !result.more) ending.Close();
      };
      server.Cancel(server.recv);
      harness.RunUntil("the end", [&] { return !server.recv.Waits(); });
    }
  });
}

// A peer that reads once a round, on a thread of its own, a little earlier or later each time.
class RoundReader {
 public:
  explicit RoundReader(const Endpoint& address) : peer_(::socket(AF_INET, SOCK_STREAM, 0)) {
    REQUIRE(peer_ >= 0);
    const int room_bytes = 8 * 1024;
    REQUIRE(::setsockopt(peer_, SOL_SOCKET, SO_RCVBUF, &room_bytes, sizeof room_bytes) == 0);
    sockaddr_storage storage{};
    const socklen_t length = ToSockaddr(address, storage);
    REQUIRE(::connect(peer_, reinterpret_cast<const sockaddr*>(&storage), length) == 0);
    thread_ = std::thread([this] { Run(); });
  }
  ~RoundReader() {
    stopping_ = true;
    thread_.join();
    ::close(peer_);
  }

  void Begin() { begun_.fetch_add(1, std::memory_order_release); }

 private:
  void Run() {
    std::vector<char> room(64 * 1024);
    for (std::size_t done = 0; !stopping_;) {
      if (begun_.load(std::memory_order_acquire) == done) {
        std::this_thread::yield();
        continue;
      }
      ++done;
      for (auto spin = static_cast<std::uint32_t>(done * 2654435761U) >> 22U; spin > 0; --spin) {
        static_cast<void>(begun_.load(std::memory_order_acquire));
      }
      static_cast<void>(::recv(peer_, room.data(), room.size(), MSG_DONTWAIT));
    }
  }

  const int peer_;
  std::atomic<std::size_t> begun_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// A send and its cancel in one submission while the peer makes room: in one of some thousand, the
// cancel finds the send on the way from one wait to the next (IO_APOLL_READY in the kernel's
// io_uring/poll.c) and is refused.
void AbortSends(std::size_t count) {
  if (!HasIoUring()) {
    WARN("no io_uring on this machine: not tested");
    return;
  }
  IoUringFactory factory(std::make_shared<const Log>());
  Harness harness(factory);
  Acceptor& acceptor = harness.NewAcceptor(1, Endpoint::LoopbackIpv4(0), SmallBuffers());
  RoundReader reader(acceptor.bound);
  harness.RunUntil("the accept", [&] { return acceptor.accepted.size() == 1; });
  Side& side = harness.NewSide();
  side.Adopt(std::move(acceptor.accepted.front().socket), SmallBuffers());
  const std::string chunk = RandomBytes(CompletionPort::kMaxSendBytes, 63);
  const SendSlice slice = test::AsBytes(chunk);
  std::size_t cancelled = 0;
  for (std::size_t i = 0; i < count; ++i) {
    side.SendSlices({&slice, 1});
    reader.Begin();
    side.Cancel(side.send);
    harness.RunUntil("the end of an aborted send", [&] { return !side.send.Waits(); });
    cancelled += side.send.error == ErrorCode::kCancelled ? 1 : 0;
  }
  CHECK(cancelled > 0);
  harness.Finish();
  std::cout << "figure: aborted sends that completed = " << count << " sends\n"
            << "figure: of these, cancelled = " << cancelled << " sends\n";
}

TEST_CASE("sends that are aborted while the peer makes room all complete", "[io_uring][cancel]") {
  AbortSends(20'000);
}

TEST_CASE("a million aborted sends complete", "[.prove]") { AbortSends(1'000'000); }

}  // namespace
}  // namespace netcore::linux_port
