// PauseRecv between packets: what has arrived waits, and comes first.
#include <atomic>

#include "tests/support/test_packets.h"

namespace netcore::test {
namespace {

const PacketFormat kSizeAndId = PacketFormat::SizeAndId();

// Packets with ids from `first` on.
std::string Numbered(std::uint32_t first, std::uint32_t count, std::size_t size = 10) {
  std::string stream;
  for (std::uint32_t id = first; id < first + count; ++id) {
    stream += PacketText(kSizeAndId, id, RandomText(size, id));
  }
  return stream;
}

// All packets so far came in order.
bool IsInOrder(const TestPacketSession& session) {
  const std::vector<ReferencePacket> packets = session.Packets();
  for (std::size_t index = 0; index < packets.size(); ++index) {
    if (packets[index].type != index) return false;
    const std::size_t size = packets[index].payload.size();
    if (AsText(packets[index].payload) != RandomText(size, packets[index].type)) return false;
  }
  return true;
}

TEST_CASE("a pause inside OnPacket holds back the packets behind it until the resume",
          "[packet_session][pause]") {
  PacketServer server(kSizeAndId,
                      {.on_packet = [](TestPacketSession& session, const PacketView& p) {
                        if (p.type == 2 || p.type == 5) session.PauseRecv();
                      }});
  OnAllBackends(server.Options(), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    pair.client->SendText(Numbered(0, 8));
    REQUIRE(world.WaitFor([&] { return pair.server->Count() == 3; }));
    world.RunFor(milliseconds(30));
    pair.client->SendText(Numbered(8, 4));
    world.RunFor(milliseconds(30));
    CHECK(pair.server->Count() == 3);
    pair.server->ResumeRecv();
    REQUIRE(world.WaitFor([&] { return pair.server->Count() == 6; }));
    world.RunFor(milliseconds(30));
    CHECK(pair.server->Count() == 6);
    pair.server->ResumeRecv();
    REQUIRE(world.WaitFor([&] { return pair.server->Count() == 12; }));
    CHECK(IsInOrder(*pair.server));
    server.CheckRules();
  });
}

TEST_CASE("no packet comes from inside ResumeRecv", "[packet_session][pause]") {
  std::atomic<bool> inside{false};
  std::atomic<int> wrong{0};
  PacketServer server(kSizeAndId, {.on_packet = [&](TestPacketSession& session, const PacketView&) {
                        if (inside) ++wrong;
                        session.PauseRecv();
                        static_cast<void>(session.Post([&] {
                          inside = true;
                          session.ResumeRecv();
                          inside = false;
                        }));
                      }});
  OnAllBackends(server.Options(), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    pair.client->SendText(Numbered(0, 50));
    REQUIRE(world.WaitFor([&] { return pair.server->Count() == 50; }));
    CHECK(wrong == 0);
    CHECK(IsInOrder(*pair.server));
    server.CheckRules();
  });
}

TEST_CASE("paused, then FIN: the packets first, then the end", "[packet_session][pause]") {
  const bool whole = GENERATE(true, false);
  CAPTURE(whole);
  PacketServer server(kSizeAndId,
                      {.on_packet = [](TestPacketSession& session, const PacketView& p) {
                        if (p.type == 0) session.PauseRecv();
                      }});
  OnAllBackends(server.Options(), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    const std::string stream = Numbered(0, 10);
    pair.client->SendText(stream.substr(0, stream.size() - (whole ? 0 : 1)));
    pair.client->ShutdownSend();
    REQUIRE(world.WaitFor([&] { return pair.server->Count() == 1; }));
    world.RunFor(milliseconds(50));
    CHECK(pair.server->Count() == 1);
    CHECK_FALSE(pair.server->Ended());
    pair.server->ResumeRecv();
    REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
    CHECK(pair.server->Count() == (whole ? 10 : 9));
    CHECK(IsInOrder(*pair.server));
    CHECK(pair.server->Info().reason ==
          (whole ? CloseReason::kPeerClosed : CloseReason::kTruncated));
    server.CheckRules();
  });
}

TEST_CASE("held back packets and a bad length behind them come in that order",
          "[packet_session][pause]") {
  PacketServer server(kSizeAndId, {.on_packet = [](TestPacketSession& session, const PacketView&) {
                        session.PauseRecv();
                        session.SendText(1, "answer");
                      }});
  OnAllBackends(server.Options(), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    pair.client->SendText(Numbered(0, 3) + std::string(4, '\0'));
    for (std::size_t count = 1; count <= 3; ++count) {
      REQUIRE(world.WaitFor([&] { return pair.server->Count() == count; }));
      world.RunFor(milliseconds(10));
      REQUIRE_FALSE(pair.server->Ended());
      pair.server->ResumeRecv();
    }
    REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
    CHECK(pair.server->Info().reason == CloseReason::kBadLength);
    CHECK(ReferenceDecode(kSizeAndId, AsBytes(pair.client->Received())).packets.size() == 3);
    server.CheckRules();
  });
}

TEST_CASE("a session that holds packets back ends by Disconnect, Stop and its peer's reset",
          "[packet_session][pause]") {
  const int way = GENERATE(0, 1, 2, 3, 4);
  const bool resumed = GENERATE(false, true);
  CAPTURE(way, resumed);
  PacketServer server(kSizeAndId, {.on_packet = [](TestPacketSession& session, const PacketView&) {
                        session.PauseRecv();
                      }});
  OnAllBackends(server.Options(), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    pair.client->SendText(Numbered(0, 5));
    REQUIRE(world.WaitFor([&] { return pair.server->Count() == 1; }));
    world.RunFor(milliseconds(20));
    std::atomic<bool> done{false};
    REQUIRE(pair.server->Post([&] {
      // Resumed and ended in one breath: the packets are on their way, and no more than that.
      if (resumed) pair.server->ResumeRecv();
      if (way == 0) pair.server->Disconnect();
      if (way == 1) pair.server->Disconnect(CloseReason::kLocal, Closing::kAbort);
      if (way == 2) world.service->Stop(milliseconds(1'000));
      if (way == 3) world.service->Stop(milliseconds::zero());
      done = true;
    }));
    REQUIRE(world.WaitFor([&] { return done.load(); }));
    if (way == 4) {
      pair.client->Disconnect(CloseReason::kLocal, Closing::kAbort);
      REQUIRE(world.WaitFor([&] {
        pair.server->ResumeRecv();
        return pair.server->Ended();
      }));
    }
    REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
    if (way < 2) {
      CHECK(pair.server->Info().reason == CloseReason::kLocal);
      CHECK(pair.server->Count() == 1);
    }
    if (way == 4) CHECK(pair.server->Info().reason == CloseReason::kPeerReset);
    CHECK(IsInOrder(*pair.server));
    REQUIRE(world.WaitFor([&] { return pair.client->Ended(); }));
    server.CheckRules();
  });
}

TEST_CASE("a pause and a resume inside one OnPacket hold nothing back", "[packet_session][pause]") {
  PacketServer server(kSizeAndId,
                      {.on_packet = [](TestPacketSession& session, const PacketView& p) {
                        session.PauseRecv();
                        if (p.type != 3) session.ResumeRecv();  // also among those held back
                      }});
  OnAllBackends(server.Options(), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    pair.client->SendText(Numbered(0, 20));
    REQUIRE(world.WaitFor([&] { return pair.server->Count() == 4; }));
    world.RunFor(milliseconds(20));
    CHECK(pair.server->Count() == 4);
    pair.client->SendText(Numbered(20, 20));
    pair.server->ResumeRecv();
    REQUIRE(world.WaitFor([&] { return pair.server->Count() == 40; }));
    CHECK(IsInOrder(*pair.server));
    server.CheckRules();
  });
}

TEST_CASE("a resume and a pause before the held packets' turn hold them back further",
          "[packet_session][pause]") {
  PacketServer server(kSizeAndId,
                      {.on_packet = [](TestPacketSession& session, const PacketView& p) {
                        if (p.type == 0) session.PauseRecv();
                      }});
  OnAllBackends(server.Options(), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    pair.client->SendText(Numbered(0, 3));
    REQUIRE(world.WaitFor([&] { return pair.server->Count() == 1; }));
    std::atomic<int> rounds{0};
    for (int times = 0; times < 3; ++times) {
      REQUIRE(pair.server->Post([&] {
        pair.server->ResumeRecv();
        pair.server->PauseRecv();
        ++rounds;
      }));
    }
    REQUIRE(world.WaitFor([&] { return rounds == 3; }));
    world.RunFor(milliseconds(20));
    CHECK(pair.server->Count() == 1);
    pair.server->ResumeRecv();
    REQUIRE(world.WaitFor([&] { return pair.server->Count() == 3; }));
    server.CheckRules();
  });
}

TEST_CASE("a throw among the packets that were held back ends the session",
          "[packet_session][pause]") {
  PacketServer server(kSizeAndId,
                      {.on_packet = [](TestPacketSession& session, const PacketView& p) {
                        if (p.type == 0) session.PauseRecv();
                        if (p.type == 2) throw 2;
                      }});
  OnAllBackends(server.Options(), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    pair.client->SendText(Numbered(0, 5));
    REQUIRE(world.WaitFor([&] { return pair.server->Count() == 1; }));
    pair.server->ResumeRecv();
    REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
    CHECK(pair.server->Info().reason == CloseReason::kHookThrew);
    CHECK(pair.server->Count() == 3);
    server.CheckRules();
  });
}

TEST_CASE("a storm of pauses and resumes loses, repeats and reorders no packet",
          "[packet_session][pause]") {
  constexpr std::uint32_t kPackets = 20'000;
  const std::uint32_t seed = NewSeed();
  INFO("seed " << seed);
  WorldOptions options;
  options.client.max_send_queue_bytes = 0;
  // Seldom enough for a machine that has little time: each of these pauses takes a Dispatch, which
  // is some milliseconds under Wine when others run.
  PacketServer server(kSizeAndId,
                      {.on_packet = [](TestPacketSession& session, const PacketView& p) {
                        if (p.type % 12 != 0) return;
                        session.PauseRecv();
                        session.Post([&session] { session.ResumeRecv(); });
                      }});
  OnRealBackends(server.Options(options), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    // The storm ends by itself, as on a busy machine its threads leave the packets little time.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int index = 0; index < 2; ++index) {
      threads.emplace_back([&] {
        while (!stop && std::chrono::steady_clock::now() < end) {
          pair.server->PauseRecv();
          pair.server->ResumeRecv();
          std::this_thread::yield();
        }
      });
    }
    const std::string stream = Numbered(0, kPackets);
    std::mt19937 random(seed);
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = 1 + random() % 5'000;
      pair.client->SendText(std::string_view(stream).substr(at, size));
      at += size;
    }
    const bool all = world.WaitFor([&] { return pair.server->Count() == kPackets; });
    stop = true;
    for (std::thread& thread : threads) thread.join();
    CHECK(all);
    CHECK(IsInOrder(*pair.server));
    CHECK_FALSE(pair.server->Ended());
    server.CheckRules();
  });
}

}  // namespace
}  // namespace netcore::test
