// How long a peer may take for its first packet and for each one.
#include <algorithm>

#include "tests/support/test_packets.h"

namespace netcore::test {
namespace {

const PacketFormat kTypeLengthPayload = PacketFormat::TypeLengthPayload();

// Runs `world` until the session has ended; true if that took from `low` to `high`.
bool EndsBetween(World& world, const TestPacketSession& session, milliseconds low,
                 milliseconds high) {
  world.RunFor(low);
  if (session.Ended()) return false;
  return world.WaitFor([&] { return session.Ended(); }, high - low);
}

TEST_CASE("a header, ten bytes and silence end the session in time", "[packet_session][row3]") {
  WorldOptions options;
  options.server.frame_timeout = milliseconds(1'000);
  PacketServer server(kTypeLengthPayload);
  OnMemory(server.Options(options), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    world.RunFor(milliseconds(5'000));  // silence before a packet is no packet
    pair.client->SendText(PacketText(kTypeLengthPayload, 1, std::string(100, 'x')).substr(0, 15));
    CHECK(EndsBetween(world, *pair.server, milliseconds(950), milliseconds(1'100)));
    CHECK(pair.server->Info().reason == CloseReason::kFrameTimeout);
    CHECK(pair.server->Count() == 0);
    REQUIRE(world.WaitFor([&] { return pair.client->Ended(); }));
    CHECK(pair.client->Info().reason == CloseReason::kPeerClosed);
  });
}

TEST_CASE("one byte a second does not put the end of a frame off", "[packet_session][row3]") {
  WorldOptions options;
  options.server.frame_timeout = milliseconds(5'000);
  options.server.idle_timeout = milliseconds(2'000);  // any byte is life, but no packet
  PacketServer server(kTypeLengthPayload);
  OnMemory(server.Options(options), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    const std::string packet = PacketText(kTypeLengthPayload, 1, std::string(100, 'x'));
    std::size_t sent = 0;
    while (!pair.server->Ended() && sent < packet.size()) {
      pair.client->SendText(packet.substr(sent++, 1));
      world.RunFor(milliseconds(1'000));
    }
    CHECK(sent == 5);
    CHECK(pair.server->Info().reason == CloseReason::kFrameTimeout);
  });
}

TEST_CASE("each packet has all of its time, from its own first byte", "[packet_session]") {
  WorldOptions options;
  options.server.frame_timeout = milliseconds(1'000);
  PacketServer server(kTypeLengthPayload);
  OnMemory(server.Options(options), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    const std::string packet = PacketText(kTypeLengthPayload, 1, "packet");
    pair.client->SendText(packet.substr(0, 3));
    for (int count = 1; count <= 10; ++count) {
      world.RunFor(milliseconds(800));
      // The end of one and the beginning of the next.
      pair.client->SendText(packet.substr(3) + packet.substr(0, 3));
      REQUIRE(world.WaitFor([&] { return pair.server->Count() == std::size_t(count); }));
    }
    CHECK(EndsBetween(world, *pair.server, milliseconds(950), milliseconds(1'100)));
    CHECK(pair.server->Info().reason == CloseReason::kFrameTimeout);
  });
}

TEST_CASE("a session without a whole packet in time after connecting ends",
          "[packet_session][row8][row25]") {
  const std::string sent = GENERATE(std::string(), std::string(7, '\0'));
  CAPTURE(sent.size());
  WorldOptions options;
  options.server.first_packet_timeout = milliseconds(1'000);
  options.server.frame_timeout = milliseconds(5'000);
  PacketServer server(PacketFormat::TypeLengthPayload());
  OnMemory(server.Options(options), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    world.RunFor(milliseconds(300));
    // A packet, and a part of the next; or nothing at all.
    pair.client->SendText(sent.substr(0, 3));
    CHECK(EndsBetween(world, *pair.server, milliseconds(600), milliseconds(750)));
    CHECK(pair.server->Info().reason == CloseReason::kFirstPacketTimeout);
  });
}

TEST_CASE("of the two deadlines of a first packet the earlier one counts", "[packet_session]") {
  WorldOptions options;
  options.server.first_packet_timeout = milliseconds(1'000);
  options.server.frame_timeout = milliseconds(200);
  PacketServer server(kTypeLengthPayload);
  OnMemory(server.Options(options), [&](World& world) {
    const PacketServer::Pair early = server.ConnectPair(world);
    early.client->SendText("x");
    CHECK(EndsBetween(world, *early.server, milliseconds(150), milliseconds(300)));
    CHECK(early.server->Info().reason == CloseReason::kFrameTimeout);
    const PacketServer::Pair late = server.ConnectPair(world);
    world.RunFor(milliseconds(900));
    late.client->SendText("x");
    CHECK(EndsBetween(world, *late.server, milliseconds(50), milliseconds(190)));
    CHECK(late.server->Info().reason == CloseReason::kFirstPacketTimeout);
  });
}

TEST_CASE("a first packet in time leaves no deadline behind", "[packet_session]") {
  WorldOptions options;
  options.server.first_packet_timeout = options.server.frame_timeout = milliseconds(1'000);
  PacketServer server(kTypeLengthPayload);
  OnMemory(server.Options(options), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    pair.client->SendText(PacketText(kTypeLengthPayload, 1, "packet"));
    world.RunFor(milliseconds(60'000));
    CHECK(pair.server->Count() == 1);
    CHECK_FALSE(pair.server->Ended());
  });
}

TEST_CASE("no time is no limit, and a session without packets has none", "[packet_session]") {
  WorldOptions options;
  options.server.first_packet_timeout = milliseconds(0);
  options.server.frame_timeout = milliseconds(0);
  SECTION("no limit") {
    PacketServer server(kTypeLengthPayload);
    OnMemory(server.Options(options), [&](World& world) {
      const PacketServer::Pair pair = server.ConnectPair(world);
      world.RunFor(milliseconds(100'000));
      pair.client->SendText("x");
      world.RunFor(milliseconds(100'000));
      CHECK_FALSE(pair.server->Ended());
    });
  }
  SECTION("no packets") {
    options.server.first_packet_timeout = options.server.frame_timeout = milliseconds(100);
    OnMemory(options, [&](World& world) {
      const World::Pair pair = world.ConnectPair();
      pair.client->SendText("x");
      world.RunFor(milliseconds(10'000));
      CHECK_FALSE(pair.server->Ended());
    });
  }
}

TEST_CASE("time in a pause counts for no deadline of packets, before it and after it do",
          "[packet_session]") {
  WorldOptions options;
  const bool first = GENERATE(true, false);
  CAPTURE(first);
  (first ? options.server.first_packet_timeout : options.server.frame_timeout) =
      milliseconds(1'000);
  PacketServer server(kTypeLengthPayload);
  OnMemory(server.Options(options), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    pair.client->SendText("x");
    for (int times = 0; times < 2; ++times) {
      world.RunFor(milliseconds(300));
      pair.server->PauseRecv();
      world.RunFor(milliseconds(10'000));
      REQUIRE_FALSE(pair.server->Ended());
      pair.server->ResumeRecv();
    }
    // 400 ms are left: a pause gives back no more than its own time.
    CHECK(EndsBetween(world, *pair.server, milliseconds(300), milliseconds(500)));
    CHECK(pair.server->Info().reason ==
          (first ? CloseReason::kFirstPacketTimeout : CloseReason::kFrameTimeout));
  });
}

TEST_CASE("a pause while connecting, or in OnConnected, does not count either",
          "[packet_session]") {
  WorldOptions options;
  options.server.first_packet_timeout = milliseconds(1'000);
  PacketServer server(kTypeLengthPayload,
                      {.on_connected = [](TestPacketSession& session) { session.PauseRecv(); }});
  OnMemory(server.Options(options), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    world.RunFor(milliseconds(10'000));
    REQUIRE_FALSE(pair.server->Ended());
    pair.server->ResumeRecv();
    CHECK(EndsBetween(world, *pair.server, milliseconds(950), milliseconds(1'100)));
    CHECK(pair.server->Info().reason == CloseReason::kFirstPacketTimeout);
  });
  WorldOptions client_options;
  client_options.client.first_packet_timeout = milliseconds(1'000);
  OnMemory(client_options, [](World& world) {
    world.RunFor(milliseconds(5'000));
    const auto client = std::make_shared<TestPacketSession>(kTypeLengthPayload, PacketHooks{});
    REQUIRE_FALSE(world.connector->Connect(world.Address(), client));
    client->PauseRecv();
    world.RunFor(milliseconds(10'000));
    REQUIRE(client->WasConnected());
    REQUIRE_FALSE(client->Ended());
    client->ResumeRecv();
    CHECK(EndsBetween(world, *client, milliseconds(950), milliseconds(1'100)));
    CHECK(client->Info().reason == CloseReason::kFirstPacketTimeout);
  });
}

TEST_CASE("a part behind held packets has its time from the resume on", "[packet_session]") {
  WorldOptions options;
  options.server.frame_timeout = milliseconds(1'000);
  PacketServer server(kTypeLengthPayload,
                      {.on_packet = [](TestPacketSession& session, const PacketView&) {
                        if (session.Count() == 0) session.PauseRecv();
                      }});
  OnMemory(server.Options(options), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    const std::string packet = PacketText(kTypeLengthPayload, 1, "packet");
    pair.client->SendText(packet + packet + packet.substr(0, 8));
    world.RunFor(milliseconds(10'000));
    CHECK(pair.server->Count() == 1);
    pair.server->ResumeRecv();
    CHECK(EndsBetween(world, *pair.server, milliseconds(950), milliseconds(1'100)));
    CHECK(pair.server->Count() == 2);
    CHECK(pair.server->Info().reason == CloseReason::kFrameTimeout);
  });
}

TEST_CASE("on real clocks silence ends in time", "[packet_session][row3]") {
  WorldOptions options;
  options.server.first_packet_timeout = milliseconds(300);
  PacketServer server(kTypeLengthPayload);
  OnRealBackends(server.Options(options), [&](World& world) {
    const auto begin = std::chrono::steady_clock::now();
    const PacketServer::Pair silent = server.ConnectPair(world);
    REQUIRE(world.WaitFor([&] { return silent.server->Ended(); }));
    CHECK(silent.server->Info().reason == CloseReason::kFirstPacketTimeout);
    CHECK(std::chrono::steady_clock::now() - begin >= milliseconds(290));
  });
}

TEST_CASE("on real clocks trickling ends in time, and what is queued leaves first",
          "[packet_session][row3]") {
  WorldOptions options;
  options.server.frame_timeout = milliseconds(300);
  PacketServer server(kTypeLengthPayload,
                      {.on_packet = [](TestPacketSession& session, const PacketView& p) {
                        session.SendPacket(p.type, p.payload);
                      }});
  OnRealBackends(server.Options(options), [&](World& world) {
    const auto begin = std::chrono::steady_clock::now();
    const PacketServer::Pair trickling = server.ConnectPair(world);
    const std::string packet = PacketText(kTypeLengthPayload, 1, std::string(2'000, 'x'));
    trickling.client->SendText(PacketText(kTypeLengthPayload, 2, "answered"));
    for (std::size_t at = 0; at < packet.size() && !trickling.server->Ended(); ++at) {
      trickling.client->SendText(packet.substr(at, 1));
      std::this_thread::sleep_for(milliseconds(10));
    }
    REQUIRE(world.WaitFor([&] { return trickling.server->Ended(); }));
    CHECK(trickling.server->Info().reason == CloseReason::kFrameTimeout);
    CHECK(std::chrono::steady_clock::now() - begin >= milliseconds(290));
    REQUIRE(world.WaitFor([&] { return trickling.client->Ended(); }));
    CHECK(trickling.client->Received() == PacketText(kTypeLengthPayload, 2, "answered"));
  });
}

}  // namespace
}  // namespace netcore::test
