// What ten thousand sessions of packets hold, counted in allocations: this program replaces
// operator new, and the memory port runs everything on the test's own thread.
#include "tests/sim/failing_new.h"
#include "tests/support/test_packets.h"

namespace netcore::test {
namespace {

TEST_CASE("ten thousand sessions hold memory for a packet only while one is open",
          "[sim][packet_session]") {
  constexpr std::int64_t kSessions = 10'000;
  const PacketFormat format = PacketFormat::TypeLengthPayload(1024 * 1024);

  // Counts, and keeps nothing.
  class Quiet final : public PacketSession {
   public:
    Quiet(const PacketFormat& its_format, std::int64_t& packets)
        : PacketSession(its_format), packets_(packets) {}

   private:
    void OnPacket(const PacketView&) override { ++packets_; }

    std::int64_t& packets_;
  };

  std::int64_t packets = 0;
  WorldOptions options;
  options.accept_depth = 64;
  options.keep_received = false;
  options.factory = [&] { return std::make_shared<Quiet>(format, packets); };
  OnMemory(options, [&](World& world) {
    for (std::int64_t count = 0; count < kSessions; ++count) world.Connect();
    REQUIRE(world.WaitFor([&] { return world.service->Stats().sessions == kSessions; }));
    const std::string packet = PacketText(format, 1, "0123456789");
    std::uint64_t bytes = 0;
    // Everybody says the same. Returns the allocations that are alive when all of it has arrived.
    const auto say = [&](std::string_view text) {
      for (const TestSessionRef& client : world.Clients()) client->SendText(text);
      bytes += text.size() * kSessions;
      REQUIRE(world.WaitFor([&] { return world.service->Stats().bytes_received == bytes; }));
      return FailingMemory::OfThisThread().LiveCount();
    };
    say(packet);  // so that all else that keeps memory has it
    const std::int64_t idle = say(packet);
    CHECK(packets == 2 * kSessions);
    const std::int64_t open = say(packet.substr(0, 7));
    CHECK(open == idle + kSessions);
    CHECK(say(packet.substr(7, 3)) == open);
    CHECK(say(packet.substr(10)) == idle);
    CHECK(packets == 3 * kSessions);
    // A length of a megabyte, of which nothing comes, and then the end of all.
    CHECK(say(std::string("\1\0\x10\0\0", 5)) == open);
  });
}

TEST_CASE("a session that has ended holds no part of a packet, though somebody holds the session",
          "[sim][packet_session]") {
  // Holds on to what is no more, but for what was received: that is in the count.
  class Held final : public PacketSession {
   public:
    Held() : PacketSession(PacketFormat::LengthPrefix(1)) {}

   private:
    void OnPacket(const PacketView&) override { PauseRecv(); }
  };

  // The allocations that are left of sessions whose peers said `text`.
  const auto left_behind = [](std::string_view text) {
    std::vector<SessionRef> held;
    held.reserve(100);
    WorldOptions options;
    options.keep_received = false;
    options.factory = [&] { return held.emplace_back(std::make_shared<Held>()); };
    const std::int64_t before = FailingMemory::OfThisThread().LiveCount();
    {
      World world(std::make_shared<MemoryFactory>(), options);
      for (int count = 0; count < 100; ++count) world.Connect();
      REQUIRE(world.WaitFor([&] { return world.service->Stats().sessions == 100; }));
      for (const TestSessionRef& client : world.Clients()) client->SendText(text);
      REQUIRE(world.WaitFor(
          [&] { return world.service->Stats().bytes_received == 100 * text.size(); }));
      world.Finish();
    }
    return FailingMemory::OfThisThread().LiveCount() - before;
  };
  left_behind("\1x");  // so that what a thread keeps is there
  const std::int64_t plain = left_behind("\1x");
  CHECK(left_behind("\7open") == plain);
  CHECK(left_behind("\1x\1y\1held back") == plain);
}

}  // namespace
}  // namespace netcore::test
