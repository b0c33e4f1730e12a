// io_uring: a kernel that is short of memory, and connections whose peer is gone.
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/port/linux/scripted_ring.h"
#include "tests/support/descriptors.h"
#include "tests/support/skip.h"

namespace netcore::linux_port {
namespace {

using contract::Acceptor;
using contract::Harness;
using contract::milliseconds;
using contract::RandomBytes;
using contract::Side;
using test::DescriptorCount;

using Lines = std::vector<std::string>;

TEST_CASE("an io_uring_enter that is short of memory is tried again, with one line about it",
          "[io_uring]") {
  const int error = GENERATE(ENOMEM, EAGAIN, EBUSY);
  OnScriptedRing([&](Harness& harness, ScriptedRing& ring, Lines& lines) {
    auto [client, server] = harness.NewPair();
    server.Recv();
    client.Recv();
    ring.enter_error = error;
    ring.failing_enters = 30;
    const std::string up = RandomBytes(200'000, 62);
    client.SendAll(up);
    harness.RunUntil("the kernel has memory again", [&] { return ring.failing_enters == 0; });
    harness.RunUntil("all bytes", [&] { return server.received.size() >= up.size(); });
    CHECK(contract::SameBytes(server.received, up));
    REQUIRE(lines.size() >= 1);
    CHECK(lines.front().find("io_uring: the kernel is short of memory") == 0);
    CHECK(lines.size() <= 2);
  });
}

TEST_CASE("a port that backs off is woken", "[io_uring]") {
  OnScriptedRing([&](Harness& harness, ScriptedRing& ring, Lines&) {
    ring.enter_error = ENOMEM;
    ring.failing_enters = SIZE_MAX;
    for (int i = 0; i < 20; ++i) harness.Dispatch(milliseconds(20));  // up to the longest pause
    harness.Port().Wake();
    CHECK(harness.Dispatch(std::chrono::hours(1)) == 0);
    ring.failing_enters = 0;
  });
}

TEST_CASE("connections whose peer is gone are dropped, counted, and delay nobody",
          "[io_uring][accept]") {
  OnScriptedRing([&](Harness& harness, ScriptedRing& ring, Lines&) {
    constexpr std::size_t kDead = 300;
    const std::size_t before = DescriptorCount();
    Acceptor& acceptor = harness.NewAcceptor(4);
    ring.dead_peers = kDead;
    std::vector<Side*> clients;
    for (std::size_t i = 0; i < kDead + 1; ++i) {
      clients.push_back(&harness.NewSide());
      clients.back()->Open();
      clients.back()->Connect(acceptor.bound);
    }
    harness.RunUntil("the one that stayed", [&] { return acceptor.accepted.size() == 1; });
    CHECK(acceptor.aborted == kDead);
    // They used up no accept: each was submitted once, and the one that accepted twice.
    std::size_t submits = 0;
    for (const contract::Op& op : acceptor.ops) submits += op.submits;
    CHECK(submits == acceptor.ops.size() + 1);
    harness.RunUntil("the connects", [&] { return !clients.back()->connect.Waits(); });
    for (Side* client : clients) client->CloseIfOpen();
    acceptor.accepted.clear();
    CHECK(DescriptorCount() == before + 1);  // the listener
  });
}

TEST_CASE("connections that came while no accept was posted are looked at when one is",
          "[io_uring][accept]") {
  OnScriptedRing([&](Harness& harness, ScriptedRing& ring, Lines&) {
    Acceptor& acceptor = harness.NewAcceptor(1);
    acceptor.repost = false;
    harness.RunFor(milliseconds(5));
    std::vector<Side*> clients;
    for (int i = 0; i < 60; ++i) {
      clients.push_back(&harness.NewSide());
      clients.back()->Open();
      clients.back()->Connect(acceptor.bound);
    }
    harness.RunUntil("one accept", [&] { return !acceptor.AnythingPending(); });
    harness.RunFor(milliseconds(5));
    ring.dead_peers = 40;
    acceptor.Submit(acceptor.ops.front());
    harness.RunUntil("the accept", [&] { return acceptor.accepted.size() == 2; });
    CHECK(acceptor.aborted == 40);
    acceptor.repost = true;
    acceptor.Submit(acceptor.ops.front());
    harness.RunUntil("the others", [&] { return acceptor.accepted.size() == 20; });
    CHECK(acceptor.aborted == 40);
  });
}

// Creates and ends rings, which another thread runs. Returns how often the calling thread's waits
// were interrupted, or -1 if a ring could not be created.
int CountInterruptedWaits() {
  const auto log = std::make_shared<const Log>([](LogLevel, std::string_view) {});
  const int nothing = ::epoll_create1(0);  // one of the waits that the kernel does not resume
  int interrupted = 0;
  for (int i = 0; i < 30 && interrupted >= 0; ++i) {
    {
      std::unique_ptr<PortFactory> factory;
      std::unique_ptr<CompletionPort> port;
      if (IoUringFactory::Create(log, IoUringFactory::Choice::kByName, factory) ||
          factory->MakePort(port)) {
        interrupted = -1;
        break;
      }
      std::thread([&] {
        if (!port->AttachThread()) port->DispatchUntil(port->Now() + milliseconds(1));
      }).join();
    }
    // The kernel ends a ring on a thread of its own, a little later.
    epoll_event event{};
    if (::epoll_wait(nothing, &event, 1, 20) < 0) ++interrupted;
  }
  ::close(nothing);
  return interrupted;
}

TEST_CASE("the end of a ring interrupts no call of the thread that created it", "[io_uring]") {
  if (!HasIoUring()) return NoteSkipped("io_uring is refused here");
  int interrupted = -1;
  // On a thread that no ring knows from an earlier test.
  std::thread([&] { interrupted = CountInterruptedWaits(); }).join();
  CHECK(interrupted == 0);
}

}  // namespace
}  // namespace netcore::linux_port
