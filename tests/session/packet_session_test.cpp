// Packets over connections: what arrives, and how a stream that is no stream of packets ends.
#include <stdexcept>

#include "tests/support/test_packets.h"

namespace netcore::test {
namespace {

TEST_CASE("packets in one segment and one byte a segment are the same packets",
          "[packet_session][row4]") {
  const PacketFormat format = PacketFormat::TypeLengthPayload();
  PacketServer server(format);
  OnAllBackends(server.Options(), [&](World& world) {
    const std::string stream =
        PacketText(format, 1, "hello") + PacketText(format, 9, "") + PacketText(format, 200, "x");
    const PacketServer::Pair joined = server.ConnectPair(world);
    joined.client->SendText(stream);
    const PacketServer::Pair dripped = server.ConnectPair(world);
    REQUIRE(world.WaitFor([&] { return joined.server->Count() == 3; }));
    std::uint64_t arrived = world.service->Stats().bytes_received;
    for (const char byte : stream) {
      dripped.client->SendText({&byte, 1});
      ++arrived;
      REQUIRE(world.WaitFor([&] { return world.service->Stats().bytes_received == arrived; }));
    }
    REQUIRE(world.WaitFor([&] { return dripped.server->Count() == 3; }));
    CHECK(joined.server->Packets() == dripped.server->Packets());
    CHECK(joined.server->Packets() == ReferenceDecode(format, AsBytes(stream)).packets);
    CHECK(joined.server->Packets()[2].type == 200);
    server.CheckRules();
  });
}

TEST_CASE("a thousand packets in one segment, the last one cut, arrive but for the last",
          "[packet_session][row4][row11]") {
  const PacketFormat format = PacketFormat::SizeAndId();
  std::string stream;
  for (std::uint32_t id = 0; id < 1'000; ++id) {
    stream += PacketText(format, id, RandomText(id % 40, id));
  }
  PacketServer server(format);
  OnAllBackends(server.Options(), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    pair.client->SendText(std::string_view(stream).substr(0, stream.size() - 1));
    pair.client->ShutdownSend();
    REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
    REQUIRE(pair.server->Count() == 999);
    for (std::uint32_t id = 0; id < 999; ++id) {
      REQUIRE(pair.server->Packets()[id].type == id);
      REQUIRE(pair.server->Text(id) == RandomText(id % 40, id));
    }
    CHECK(pair.server->Info().reason == CloseReason::kTruncated);
    server.CheckRules();
  });
}

TEST_CASE("the same bytes cut at random end the same way with the same packets, in all formats",
          "[packet_session][row5]") {
  const std::uint32_t seed = NewSeed();
  INFO("seed " << seed);
  for (const PacketFormat& format : TestFormats()) {
    PacketServer server(format, {.on_packet = [](TestPacketSession& session, const PacketView& p) {
                          static_cast<void>(session.SendPacket(p.type, p.payload));
                        }});
    const auto run = [&](World& world) {
      std::mt19937 random(seed);
      for (int round = 0; round < 25; ++round) {
        INFO("format " << (&format - TestFormats().data()) << ", round " << round);
        const std::string stream = RandomStream(format, 30, random);
        const ReferenceStream expected = ReferenceDecode(format, AsBytes(stream));
        const PacketServer::Pair pair = server.ConnectPair(world);
        for (std::size_t at = 0; at < stream.size();) {
          const std::size_t size = 1 + random() % (random() % 3 == 0 ? 3'000 : 30);
          pair.client->SendText(std::string_view(stream).substr(at, size));
          at += size;
          if (random() % 4 == 0) world.RunFor(milliseconds(1));
        }
        pair.client->ShutdownSend();
        REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
        REQUIRE(pair.server->Packets() == expected.packets);
        REQUIRE(pair.server->Info().reason == ReasonOf(expected.end));
        // The answers come back: all of them, and to a peer whose stream was no stream too.
        REQUIRE(ReferenceDecode(format, AsBytes(pair.client->Received())).packets.size() ==
                expected.packets.size());
        REQUIRE(pair.client->Info().reason == CloseReason::kPeerClosed);
      }
    };
    World world(std::make_shared<MemoryFactory>(), server.Options());
    run(world);
    world.Finish();
    for (const Backend backend : RealBackends()) {
      INFO(ToString(backend));
      World real(NewFactory(backend), server.Options());
      run(real);
      real.Finish();
    }
    server.CheckRules();
  }
}

TEST_CASE("a length of 0, or below the header that it counts, ends the session",
          "[packet_session][row1]") {
  const int length = GENERATE(0, 1, 3);
  CAPTURE(length);
  PacketServer server(PacketFormat::SizeAndId());
  OnAllBackends(server.Options(), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    pair.client->SendText(std::string{static_cast<char>(length), 0, 1, 0} + std::string(5'000, 0));
    REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
    CHECK(pair.server->Info().reason == CloseReason::kBadLength);
    CHECK(pair.server->Count() == 0);
    CHECK(pair.client->Info().reason == CloseReason::kPeerClosed);
    CHECK(world.service->Stats().Ended(CloseReason::kBadLength) == 1);
  });
}

TEST_CASE("an empty payload whose length does not count its header is a packet",
          "[packet_session][row1]") {
  PacketServer server(PacketFormat::LengthPrefix(2));
  OnMemory(server.Options(), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    pair.client->SendText(std::string(2'000, '\0'));
    REQUIRE(world.WaitFor([&] { return pair.server->Count() == 1'000; }));
    CHECK_FALSE(pair.server->Ended());
  });
}

TEST_CASE("a packet at the maximum is delivered, one above it ends the session at its header",
          "[packet_session][row2]") {
  const PacketFormat format = PacketFormat::TypeLengthPayload(200'000);
  const std::string payload = RandomText(200'000, 1);
  PacketServer server(format);
  OnAllBackends(server.Options(), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    pair.client->SendText(PacketText(format, 1, payload));
    REQUIRE(world.WaitFor([&] { return pair.server->Count() == 1; }));
    CHECK(pair.server->Text(0) == payload);
    // 200,001, and no byte of the body.
    pair.client->SendText(std::string{1, 0, 3, 13, 65});
    REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
    CHECK(pair.server->Info().reason == CloseReason::kBadLength);
    CHECK(pair.server->Count() == 1);
  });
}

TEST_CASE("a length at the edge of its integer is a packet or ends the session",
          "[packet_session][row6]") {
  PacketServer server(PacketFormat::TypeLengthPayload(PacketFormat::kLargestPayloadSize));
  OnMemory(server.Options(), [&](World& world) {
    for (const int high : {0xff, 0x80}) {
      const PacketServer::Pair pair = server.ConnectPair(world);
      pair.client->SendText(std::string{1, static_cast<char>(high), '\xff', '\xff', '\xff', 'x'});
      REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
      CHECK(pair.server->Info().reason == CloseReason::kBadLength);
    }
    const PacketServer::Pair pair = server.ConnectPair(world);
    pair.client->SendText(std::string{1, 0x7f, '\xff', '\xff', '\xff', 'x'});
    pair.client->ShutdownSend();
    REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
    CHECK(pair.server->Info().reason == CloseReason::kTruncated);
  });
}

TEST_CASE("good, good, bad in one segment: two are delivered and answered, then the session ends",
          "[packet_session][row7]") {
  const PacketFormat format = PacketFormat::TypeLengthPayload(100);
  PacketServer server(format, {.on_packet = [](TestPacketSession& session, const PacketView& p) {
                        session.SendPacket(p.type, p.payload);
                      }});
  OnAllBackends(server.Options(), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    const std::string good = PacketText(format, 1, "one") + PacketText(format, 2, "two");
    pair.client->SendText(good + std::string{3, 0, 0, 0, 101} + PacketText(format, 4, "four"));
    REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
    CHECK(pair.server->Info().reason == CloseReason::kBadLength);
    CHECK(pair.server->Info().bytes_unsent == 0);
    CHECK(pair.server->Count() == 2);
    CHECK(pair.client->Received() == good);
    CHECK(pair.client->Info().reason == CloseReason::kPeerClosed);
    server.CheckRules();
  });
}

TEST_CASE("probes of other protocols end their session and nobody else's",
          "[packet_session][row8]") {
  const std::vector<std::string> probes = {
      "GET / HTTP/1.1\r\nHost: example\r\nUser-Agent: probe\r\n\r\n",
      std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + RandomText(506, 1),
      "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
      std::string("\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03", 16),
      "\r\n\r\n",
      std::string("\0", 1),
      "",
  };
  WorldOptions options;
  options.server.first_packet_timeout = milliseconds(400);
  options.server.frame_timeout = milliseconds(200);
  const PacketFormat format = GENERATE(PacketFormat::TypeLengthPayload(), PacketFormat::SizeAndId(),
                                       PacketFormat::LengthPrefix(4));
  PacketServer server(format);
  OnAllBackends(server.Options(options), [&](World& world) {
    PacketServer::Pair canary;
    // On a busy machine its first packet may come too late.
    for (int tries = 0; tries < 50 && (tries == 0 || canary.server->Ended()); ++tries) {
      canary = server.ConnectPair(world);
      canary.client->SendText(PacketText(format, 0, "first"));
      REQUIRE(world.WaitFor([&] { return canary.server->Count() == 1 || canary.server->Ended(); }));
    }
    std::vector<PacketServer::Pair> pairs;
    for (const std::string& probe : probes) {
      pairs.push_back(server.ConnectPair(world));
      pairs.back().client->SendText(probe);
    }
    for (const PacketServer::Pair& pair : pairs) {
      REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
      const CloseReason reason = pair.server->Info().reason;
      INFO(ToString(reason));
      // Of a size-and-id stream any two bytes are a length: what happens to be whole is delivered.
      CHECK((reason == CloseReason::kBadLength || reason == CloseReason::kFrameTimeout ||
             reason == CloseReason::kFirstPacketTimeout));
    }
    canary.client->SendText(PacketText(format, 0, "second"));
    REQUIRE(world.WaitFor([&] { return canary.server->Count() == 2; }));
    CHECK(canary.server->Text(1) == "second");
    CHECK_FALSE(canary.server->Ended());
    server.CheckRules();
  });
}

TEST_CASE("a peer that closes inside a packet ends the session with kTruncated, however it ends",
          "[packet_session][row11]") {
  const PacketFormat format = PacketFormat::TypeLengthPayload();
  WorldOptions options;
  options.server.on_peer_close = GENERATE(PeerClose::kCloseAfterFlush, PeerClose::kKeepOpen);
  const auto cut = GENERATE(std::size_t{1}, std::size_t{4}, std::size_t{5}, std::size_t{9});
  CAPTURE(cut);
  PacketServer server(format, {.on_packet = [](TestPacketSession& session, const PacketView&) {
                        session.SendText(2, "answer");
                      }});
  OnAllBackends(server.Options(options), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    pair.client->SendText(PacketText(format, 1, "whole") +
                          PacketText(format, 1, "never").substr(0, cut));
    pair.client->ShutdownSend();
    REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
    CHECK(pair.server->Info().reason == CloseReason::kTruncated);
    CHECK(pair.server->Count() == 1);
    CHECK(pair.server->Trace() == "CKD");
    CHECK(pair.client->Received() == PacketText(format, 2, "answer"));
  });
}

TEST_CASE("a peer that closes at a packet's edge ends the session as ever", "[packet_session]") {
  const PacketFormat format = PacketFormat::TypeLengthPayload();
  WorldOptions options;
  SECTION("after the flush") {
    PacketServer server(format);
    OnAllBackends(server.Options(options), [&](World& world) {
      const PacketServer::Pair pair = server.ConnectPair(world);
      pair.client->SendText(PacketText(format, 1, "whole"));
      pair.client->ShutdownSend();
      REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
      CHECK(pair.server->Info().reason == CloseReason::kPeerClosed);
      CHECK(pair.server->Count() == 1);
    });
  }
  SECTION("kept open") {
    options.server.on_peer_close = PeerClose::kKeepOpen;
    options.server.first_packet_timeout = options.server.frame_timeout = milliseconds(50);
    PacketServer server(format);
    OnAllBackends(server.Options(options), [&](World& world) {
      PacketServer::Pair pair;
      // On a busy machine 50 ms may pass before the end of its peer's bytes is there.
      for (int tries = 0; tries < 50 && (tries == 0 || pair.server->Ended()); ++tries) {
        pair = server.ConnectPair(world);
        pair.client->ShutdownSend();
        REQUIRE(
            world.WaitFor([&] { return pair.server->Trace() == "CP" || pair.server->Ended(); }));
      }
      world.RunFor(milliseconds(100));  // nothing can come any more: nothing is waited for
      CHECK(pair.server->SendText(1, "still here") == SendResult::kQueued);
      pair.server->Disconnect();
      REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
      CHECK(pair.server->Info().reason == CloseReason::kLocal);
      CHECK(pair.client->Received() == PacketText(format, 1, "still here"));
    });
  }
}

TEST_CASE("SendPacket writes header and payload into one buffer, in order with Send",
          "[packet_session]") {
  for (const PacketFormat& format : TestFormats()) {
    PacketServer server(format,
                        {.on_packet = [](TestPacketSession& session, const PacketView& packet) {
                          session.SendPacket(packet.type, packet.payload);
                          session.Send(AsBytes("raw"));
                          session.SendPacket(AsBytes("no type"));
                        }});
    OnMemory(server.Options(), [&](World& world) {
      const PacketServer::Pair pair = server.ConnectPair(world);
      const std::uint32_t type = format.type_width > 0 ? 77 : 0;
      pair.client->SendText(PacketText(format, type, "echo"));
      const std::string expected =
          PacketText(format, type, "echo") + "raw" + PacketText(format, 0, "no type");
      REQUIRE(world.WaitFor([&] { return pair.client->ReceivedBytes() == expected.size(); }));
      CHECK(pair.client->Received() == expected);
    });
  }
}

TEST_CASE("a packet that the format can't say is answered with kBadPacket and the session goes on",
          "[packet_session]") {
  const PacketFormat format = PacketFormat::TypeLengthPayload(100);
  PacketServer server(format);
  OnMemory(server.Options(), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    CHECK(pair.server->SendText(1, std::string(101, 'x')) == SendResult::kBadPacket);
    CHECK(pair.server->SendText(256, "x") == SendResult::kBadPacket);
    CHECK(pair.server->QueuedBytes() == 0);
    CHECK(pair.server->SendText(255, std::string(100, 'x')) == SendResult::kQueued);
    CHECK(pair.server->QueuedBytes() == 105);
    REQUIRE(world.WaitFor([&] { return pair.client->ReceivedBytes() == 105; }));
    pair.server->Disconnect();
    CHECK(pair.server->SendText(1, "late") == SendResult::kClosing);
    REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
  });
  TestPacketSession unborn(format, {});
  CHECK(unborn.SendText(1, "early") == SendResult::kClosing);
  CHECK(unborn.SendText(256, "early") == SendResult::kBadPacket);
}

TEST_CASE("a packet beyond the send queue's bound ends the session", "[packet_session]") {
  WorldOptions options;
  options.server.max_send_queue_bytes = 104;
  PacketServer server(PacketFormat::TypeLengthPayload(1'000));
  OnMemory(server.Options(options), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    CHECK(pair.server->SendText(1, std::string(100, 'x')) == SendResult::kQueueFull);
    REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
    CHECK(pair.server->Info().reason == CloseReason::kSendQueueFull);
  });
}

TEST_CASE("packets sent by four threads and by the hooks arrive whole, each thread's in order",
          "[packet_session][row19]") {
  constexpr std::uint32_t kThreads = 4;
  constexpr std::uint32_t kEach = 500;
  const PacketFormat format = PacketFormat::SizeAndId();
  const auto payload = [](std::uint32_t thread, std::uint32_t number) {
    return std::to_string(number) + ":" + RandomText(number % 300, thread * kEach + number);
  };
  PacketServer server(format, {.on_packet = [&](TestPacketSession& session, const PacketView&) {
                        const auto sent = static_cast<std::uint32_t>(session.Count());
                        session.SendText(kThreads, payload(kThreads, sent));
                      }});
  OnRealBackends(server.Options(), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    std::vector<std::thread> threads;
    for (std::uint32_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (std::uint32_t number = 0; number < kEach; ++number) {
          pair.server->SendText(thread, payload(thread, number));
          if (number % 50 == 0) std::this_thread::yield();
        }
      });
    }
    for (std::uint32_t number = 0; number < kEach; ++number) {
      pair.client->SendText(PacketText(format, 0, ""));
    }
    for (std::thread& thread : threads) thread.join();
    REQUIRE(world.WaitFor([&] { return pair.server->Count() == kEach; }));
    pair.server->Disconnect();
    REQUIRE(world.WaitFor([&] { return pair.client->Ended(); }));
    const ReferenceStream stream = ReferenceDecode(format, AsBytes(pair.client->Received()));
    CHECK(stream.end == StreamEnd::kAtEdge);
    std::vector<std::uint32_t> next(kThreads + 1);
    for (const ReferencePacket& packet : stream.packets) {
      REQUIRE(packet.type <= kThreads);
      REQUIRE(AsText(packet.payload) == payload(packet.type, next[packet.type]++));
    }
    for (const std::uint32_t count : next) CHECK(count == kEach);
  });
}

TEST_CASE("a packet's payload is the hook's to change", "[packet_session]") {
  const PacketFormat format = PacketFormat::TypeLengthPayload();
  PacketServer server(format, {.on_packet = [](TestPacketSession& session, const PacketView& p) {
                        for (std::byte& byte : p.payload) byte ^= std::byte{0x20};
                        session.SendPacket(p.type, p.payload);
                      }});
  OnAllBackends(server.Options(), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    pair.client->SendText(PacketText(format, 1, "abc") + PacketText(format, 1, "d"));
    const std::string expected = PacketText(format, 1, "ABC") + PacketText(format, 1, "D");
    REQUIRE(world.WaitFor([&] { return pair.client->ReceivedBytes() == expected.size(); }));
    CHECK(pair.client->Received() == expected);
  });
}

TEST_CASE("after Disconnect inside OnPacket nothing more is delivered", "[packet_session]") {
  const PacketFormat format = PacketFormat::TypeLengthPayload();
  const Closing closing = GENERATE(Closing::kGraceful, Closing::kAbort);
  PacketServer server(format, {.on_packet = [&](TestPacketSession& session, const PacketView&) {
                        if (session.Count() == 1) session.Disconnect(CloseReason::kKicked, closing);
                      }});
  OnAllBackends(server.Options(), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    std::string stream;
    for (int count = 0; count < 10; ++count) stream += PacketText(format, 1, "packet");
    pair.client->SendText(stream + std::string(5, '\xff'));
    REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
    CHECK(pair.server->Info().reason == CloseReason::kKicked);
    CHECK(pair.server->Count() == 2);
    server.CheckRules();
  });
}

TEST_CASE("an OnPacket that throws ends its session and nothing else", "[packet_session]") {
  const PacketFormat format = PacketFormat::TypeLengthPayload();
  const bool no_memory = GENERATE(false, true);
  PacketServer server(format, {.on_packet = [&](TestPacketSession&, const PacketView& packet) {
                        if (packet.type != 66) return;
                        if (no_memory) throw std::bad_alloc();  // the hook's own, not ours
                        throw std::runtime_error("thrown on purpose");
                      }});
  OnAllBackends(server.Options(), [&](World& world) {
    const PacketServer::Pair canary = server.ConnectPair(world);
    const PacketServer::Pair pair = server.ConnectPair(world);
    const std::string bad = PacketText(format, 66, "bad");
    pair.client->SendText(PacketText(format, 1, "good") + bad + PacketText(format, 1, "late"));
    REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
    CHECK(pair.server->Info().reason == CloseReason::kHookThrew);
    CHECK(pair.server->Count() == 2);
    CHECK(world.log.Count("OnPacket threw") == 1);
    canary.client->SendText(PacketText(format, 1, "fine"));
    CHECK(world.WaitFor([&] { return canary.server->Count() == 1; }));
  });
}

TEST_CASE("a reason that a hook gave stands when FIN comes before it is out of the mail",
          "[packet_session]") {
  const PacketFormat format = PacketFormat::TypeLengthPayload(100);
  const bool bad_length = GENERATE(true, false);
  CAPTURE(bad_length);
  PacketServer server(format, {.on_packet = [&](TestPacketSession& session, const PacketView&) {
                        // A send that comes by mail, and all behind it.
                        std::thread([&] { session.SendText(1, "by mail"); }).join();
                        session.SendText(1, "behind it");
                        if (!bad_length) session.Disconnect(CloseReason::kKicked);
                      }});
  OnAllBackends(server.Options(), [&](World& world) {
    const PacketServer::Pair pair = server.ConnectPair(world);
    pair.client->SendText(PacketText(format, 1, "?") + std::string(5, '\xff'));
    pair.client->ShutdownSend();
    REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
    CHECK(pair.server->Info().reason ==
          (bad_length ? CloseReason::kBadLength : CloseReason::kKicked));
    CHECK(pair.client->Received() ==
          PacketText(format, 1, "by mail") + PacketText(format, 1, "behind it"));
  });
}

TEST_CASE("a session whose format means nothing can't be made, and the log says why",
          "[packet_session]") {
  CHECK_THROWS_AS(TestPacketSession(PacketFormat::LengthPrefix(3), {}), std::invalid_argument);
  PacketServer server(PacketFormat::LengthPrefix(3));
  OnMemory(server.Options(), [&](World& world) {
    const TestSessionRef client = world.Connect();
    REQUIRE(world.WaitFor([&] { return client->Ended(); }));
    CHECK(world.service->Stats().factory_failures == 1);
    CHECK(world.log.Count("length_width is 3, not 1, 2 or 4") == 1);
  });
}

TEST_CASE("a packet session connects out as well as it is accepted", "[packet_session]") {
  const PacketFormat format = PacketFormat::LengthPrefix(2);
  PacketServer server(format, {.on_packet = [](TestPacketSession& session, const PacketView& p) {
                        session.SendPacket(p.payload);
                      }});
  OnAllBackends(server.Options(), [&](World& world) {
    const auto client = std::make_shared<TestPacketSession>(
        format, PacketHooks{.on_connected = [](TestPacketSession& session) {
          session.SendText(0, "ping");
        }});
    REQUIRE_FALSE(world.connector->Connect(world.Address(), client));
    REQUIRE(world.WaitFor([&] { return client->Count() == 1; }));
    CHECK(client->Text(0) == "ping");
    client->Disconnect();
    REQUIRE(world.WaitFor([&] { return client->Ended(); }));
    CHECK(client->Violation() == "");
  });
}

}  // namespace
}  // namespace netcore::test
