// The contract suite: no descriptor is left. Not on iocp: Windows' handles do not run out, and
// Wine's belong to one server for all programs that run.
#include <algorithm>

#include "tests/port/contract_fixture.h"
#include "tests/support/skip.h"

namespace netcore::contract {
namespace {

// Opens sockets until the system refuses; empty if it does not within reason.
std::vector<OwnedSocket> UseUpSockets(Harness& harness) {
  constexpr std::size_t kWithinReason = 70000;
  std::vector<OwnedSocket> sockets;
  while (sockets.size() < kWithinReason) {
    OwnedSocket socket;
    if (const Error error = harness.Factory().OpenSocket(Endpoint::Family::kIpv4, socket)) {
      CHECK(error == ErrorCode::kTooManyFiles);
      return sockets;
    }
    sockets.push_back(std::move(socket));
  }
  return {};
}

TEST_CASE("accepts fail with kTooManyFiles while no descriptor is left, and recover",
          "[contract][accept][exhaustion]") {
  ForEachBackend([](Harness& harness) {
    if (harness.Factory().Name() == "iocp" || harness.IsMemory()) return;
    auto [client, server] = harness.NewPair();
    client.Recv();
    server.Recv();
    Acceptor& acceptor = harness.NewAcceptor(4);
    acceptor.repost = false;
    std::vector<Side*> waiting;
    for (int count = 0; count < 3; ++count) {
      waiting.push_back(&harness.NewSide());
      waiting.back()->Open();
    }
    harness.RunFor(milliseconds(5));
    std::vector<OwnedSocket> hoard = UseUpSockets(harness);
    if (hoard.empty()) {
      NoteSkipped("descriptors do not run out here");
      return;
    }
    for (Side* one : waiting) one->Connect(acceptor.bound);
    const auto failed = [](const Op& op) { return op.error == ErrorCode::kTooManyFiles; };
    harness.RunUntil("an accept fails",
                     [&] { return std::any_of(acceptor.ops.begin(), acceptor.ops.end(), failed); });
    CHECK(acceptor.accepted.empty());
    // A failure that nobody posted anything after is the last: no spin.
    harness.RunFor(milliseconds(10));
    for (int round = 0; round < 3; ++round) {
      for (Op& op : acceptor.ops)
        if (!op.Waits()) acceptor.Submit(op);
      harness.RunFor(milliseconds(10));
      const TimePoint begin = harness.Port().Now();
      std::size_t rounds = 0;
      while (harness.Port().Now() - begin < milliseconds(60) && rounds < 1000) {
        harness.Dispatch(milliseconds(20));
        ++rounds;
      }
      CHECK(rounds < 15);
      CHECK(acceptor.accepted.empty());
    }
    // The others know nothing of it.
    const std::string bytes = RandomBytes(500000, 40);
    client.SendAll(bytes);
    harness.RunUntil("the bytes", [&] { return server.received.size() >= bytes.size(); });
    CHECK(SameBytes(server.received, bytes));

    hoard.clear();
    acceptor.repost = true;
    for (Op& op : acceptor.ops)
      if (!op.Waits()) acceptor.Submit(op);
    harness.RunUntil("all that wait", [&] { return acceptor.accepted.size() == waiting.size(); });
    for (const Side* one : waiting) CHECK(acceptor.Take(one->Local()));
  });
}

}  // namespace
}  // namespace netcore::contract
