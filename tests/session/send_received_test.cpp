// SendReceived: what OnRecv was given goes out again, without a copy where the port can lend it.
#include <algorithm>
#include <array>
#include <atomic>
#include <random>

#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

// Answers with what came, cut into parts at random places.
WorldOptions Mirror(std::mt19937& random) {
  WorldOptions options = Unbounded();
  options.threads = 1;  // so that `random` is one thread's
  options.hooks.on_recv = [&random](TestSession& session, std::span<std::byte> bytes) {
    while (!bytes.empty()) {
      const std::size_t size = random() % 2 == 0
                                   ? bytes.size()
                                   : std::min<std::size_t>(bytes.size(), 1 + random() % 9'000);
      if (random() % 8 == 0) {
        session.Send(bytes.first(size));
        std::ranges::fill(bytes.first(size), std::byte{'!'});  // still ours
      } else {
        session.SendReceived(bytes.first(size));
      }
      bytes = bytes.subspan(size);
    }
  };
  return options;
}

TEST_CASE("what was received comes back, whole and in order", "[session][send_received]") {
  const std::uint32_t seed = NewSeed();
  CAPTURE(seed);
  std::mt19937 random(seed);
  OnAllBackends(Mirror(random), [&](World& world) {
    constexpr std::size_t kPairs = 5;
    std::vector<World::Pair> pairs;
    std::array<std::string, kPairs> sent;
    for (std::size_t i = 0; i < kPairs; ++i) pairs.push_back(world.ConnectPair());
    std::mt19937 mine(seed + 1);
    for (std::uint32_t turn = 0; turn < 40; ++turn) {
      for (std::size_t i = 0; i < kPairs; ++i) {
        const std::string text =
            RandomText(1 + mine() % (turn % 4 == 0 ? 200'000 : 20'000), seed + turn);
        sent[i] += text;
        REQUIRE(pairs[i].client->SendText(text) == SendResult::kQueued);
      }
    }
    for (std::size_t i = 0; i < kPairs; ++i) {
      const World::Pair& pair = pairs[i];
      REQUIRE(world.WaitFor([&] { return pair.client->ReceivedBytes() == sent[i].size(); }));
      CHECK((pair.client->Received() == sent[i]));
      CHECK(world.WaitFor([&] { return pair.server->SentBytes() == sent[i].size(); }));
      CHECK(pair.server->QueuedBytes() == 0);
    }
  });
}

TEST_CASE("peers that read nothing keep no other from being served", "[session][send_received]") {
  const std::uint32_t seed = NewSeed();
  CAPTURE(seed);
  std::mt19937 random(seed);
  WorldOptions options = Mirror(random);
  options.server.socket.send_buffer_bytes = 8 * 1024;
  options.client.socket.recv_buffer_bytes = 8 * 1024;
  OnAllBackends(options, [&](World& world) {
    const std::string block = RandomText(30'000, seed);
    const World::Pair served = world.ConnectPair();
    for (int turn = 0; turn < 2; ++turn) {
      // More than there are receive buffers to lend.
      std::vector<World::Pair> stuck;
      for (int i = 0; i < 20; ++i) {
        stuck.push_back(world.ConnectPair(NotReading()));
        for (int part = 0; part < 30; ++part) stuck.back().client->SendText(block);
      }
      for (const World::Pair& pair : stuck) {
        REQUIRE(world.WaitFor([&] { return pair.server->ReceivedBytes() == 30 * block.size(); }));
        CHECK(pair.server->QueuedBytes() > 0);
      }
      const std::size_t before = served.client->ReceivedBytes();
      served.client->SendText(block);
      REQUIRE(
          world.WaitFor([&] { return served.client->ReceivedBytes() == before + block.size(); }));
      for (std::size_t i = 0; i < stuck.size(); ++i) {
        if (i % 2 == 0) stuck[i].server->Disconnect(CloseReason::kLocal, Closing::kAbort);
        stuck[i].client->ResumeRecv();  // who is paused notices no reset
      }
      for (std::size_t i = 0; i < stuck.size(); ++i) {
        const World::Pair& pair = stuck[i];
        if (i % 2 == 0) {
          REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
        } else {
          REQUIRE(world.WaitFor([&] { return pair.client->ReceivedBytes() == 30 * block.size(); }));
          pair.client->Disconnect();
          REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
        }
      }
    }
    CHECK((served.client->Received() == block + block));
  });
}

TEST_CASE("what one session receives goes out on another, of its worker or not, until that ends",
          "[session][send_received]") {
  std::atomic<TestSession*> target = nullptr;
  WorldOptions options = Unbounded();
  options.threads = GENERATE(1U, 2U);
  options.hooks.on_recv = [&target](TestSession& session, std::span<std::byte> bytes) {
    TestSession* const other = target.load();
    if (other != nullptr && other != &session) other->SendReceived(bytes);
  };
  OnAllBackends(options, [&target](World& world) {
    target = nullptr;
    const World::Pair from = world.ConnectPair();
    const World::Pair to = world.ConnectPair();
    target = to.server.get();
    const std::string text = RandomText(500'000, 7);
    from.client->SendText(text);
    REQUIRE(world.WaitFor([&] { return to.client->ReceivedBytes() == text.size(); }));
    CHECK((to.client->Received() == text));

    from.client->SendText(text);
    to.server->Disconnect(CloseReason::kLocal, Closing::kAbort);
    REQUIRE(world.WaitFor([&] { return to.server->Ended(); }));
    from.client->SendText(text);
    REQUIRE(world.WaitFor([&] { return from.server->ReceivedBytes() == 3 * text.size(); }));
    CHECK((from.server->Received() == text + text + text));
  });
}

TEST_CASE("bytes that are not a recv's are sent all the same", "[session][send_received]") {
  OnAllBackends(Unbounded(), [](World& world) {
    const World::Pair pair = world.ConnectPair();
    std::string text = RandomText(10'000, 7);
    const std::string expected = text + text;
    CHECK(pair.client->SendReceived(std::as_writable_bytes(std::span(text))) ==
          SendResult::kQueued);
    REQUIRE(world.WaitFor([&] { return pair.server->ReceivedBytes() == text.size(); }));
    REQUIRE(pair.client->Post([&text, client = pair.client] {
      client->SendReceived(std::as_writable_bytes(std::span(text)));
    }));
    REQUIRE(world.WaitFor([&] { return pair.server->ReceivedBytes() == expected.size(); }));
    CHECK((pair.server->Received() == expected));
    pair.client->Disconnect();
    REQUIRE(world.WaitFor([&] { return pair.client->Ended(); }));
    CHECK(pair.client->SendReceived(std::as_writable_bytes(std::span(text))) ==
          SendResult::kClosing);
  });
}

}  // namespace
}  // namespace netcore::test
