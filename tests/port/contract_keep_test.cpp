// The contract suite: received bytes that stay for a send, where a port lends them for so long.
#include <algorithm>

#include "tests/port/contract_fixture.h"

namespace netcore::contract {
namespace {

bool KeepsReceived(const Harness& harness) { return harness.Name() == "io_uring"; }

// One block after the other, so that each is received by itself.
void Exchange(Harness& harness, Side& from, Side& to, std::size_t block_bytes, std::size_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t expected = to.received_bytes + block_bytes;
    from.Send(RandomBytes(block_bytes, i));
    harness.RunUntil("a block",
                     [&] { return to.received_bytes == expected && !from.send.Waits(); });
  }
}

bool StaysAsReceived(const Side& side) {
  return std::ranges::all_of(side.kept, [&](const Side::Kept& one) {
    const std::span<const std::byte> bytes = std::as_const(*one.buffer).Bytes();
    return SameBytes(test::AsText(bytes), side.received.substr(one.offset, bytes.size()));
  });
}

TEST_CASE("received bytes that are kept stay while others come", "[contract][recv][keep]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.keep_memory = true;
    server.Recv();
    Exchange(harness, client, server, 8'000, 100);
    CHECK(server.kept.empty() == !KeepsReceived(harness));
    CHECK(StaysAsReceived(server));
    for (std::size_t turn = 0; turn < 60 && !server.kept.empty(); ++turn) {
      const std::size_t gone = turn * 7 % server.kept.size();  // not in the order of their coming
      server.kept.erase(server.kept.begin() + static_cast<std::ptrdiff_t>(gone));
      Exchange(harness, client, server, 3'000, turn % 2);
      CHECK(StaysAsReceived(server));
    }
  });
}

TEST_CASE("bytes that are kept and let go of inside their handler do no harm",
          "[contract][recv][keep]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.keep_memory = true;
    std::size_t completions = 0;
    server.hook = [&, &kept = server.kept](Op&, IoResult&) {
      if (++completions % 3 != 0 || kept.size() > 40) kept.clear();
    };
    server.Recv();
    const std::string text = RandomBytes(3'000'000, 7);
    client.SendAll(text);
    harness.RunUntil("the bytes", [&] { return server.received.size() == text.size(); });
    CHECK(SameBytes(server.received, text));
  });
}

TEST_CASE("kept bytes are sent", "[contract][recv][keep]") {
  ForEachBackend([](Harness& harness) {
    if (!KeepsReceived(harness)) return;
    auto [client, server] = harness.NewPair();
    server.keep_memory = true;
    server.Recv();
    client.Recv();
    Exchange(harness, client, server, 8'000, 4);
    REQUIRE(!server.kept.empty());
    std::string expected;
    std::vector<SendSlice> slices;
    for (const Side::Kept& one : server.kept) {
      slices.push_back(std::as_const(*one.buffer).Bytes());
      expected += test::AsText(slices.back());
    }
    server.SendSlices(slices);
    harness.RunUntil("the bytes", [&] { return client.received.size() == expected.size(); });
    CHECK(SameBytes(client.received, expected));
    harness.RunUntil("the send", [&] { return !server.send.Waits(); });
    server.kept.clear();
  });
}

TEST_CASE("small ones are not kept, and no more than leaves enough to receive with",
          "[contract][recv][keep]") {
  ForEachBackend([](Harness& harness) {
    auto [client, server] = harness.NewPair();
    server.keep_memory = true;
    server.Recv();
    Exchange(harness, client, server, 100, 10);
    CHECK(server.kept.empty());
    for (int turn = 0; turn < 2; ++turn) {
      Exchange(harness, client, server, 4'000, 1'500);
      CHECK(server.kept.size() < 1'000);
      CHECK(StaysAsReceived(server));
      const std::size_t most = server.kept.size();
      Exchange(harness, client, server, 4'000, 10);
      CHECK(server.kept.size() == most);
      server.kept.clear();
      Exchange(harness, client, server, 4'000, 10);
      CHECK(server.kept.empty() == !KeepsReceived(harness));
    }
  });
}

}  // namespace
}  // namespace netcore::contract
