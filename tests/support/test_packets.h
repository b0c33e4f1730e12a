// What tests of packets add to test_server.h: a server whose sessions speak in packets and write
// down what they get.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "netcore/session/packet_session.h"
#include "tests/support/packet_reference.h"
#include "tests/support/test_server.h"

namespace netcore::test {

class TestPacketSession;

struct PacketHooks {
  std::function<void(TestPacketSession&)> on_connected{};
  std::function<void(TestPacketSession&, const PacketView&)> on_packet{};
  std::function<void(TestPacketSession&)> on_peer_closed{};
  std::function<void(TestPacketSession&, const CloseInfo&)> on_disconnected{};
};

/// Threads: what it tells, any.
class TestPacketSession final : public PacketSession, public HookRecord {
 public:
  TestPacketSession(const PacketFormat& format, PacketHooks hooks)
      : PacketSession(format), hooks_(std::move(hooks)) {}

  /// Those whose hooks have returned.
  std::vector<ReferencePacket> Packets() const {
    const std::lock_guard lock(mutex_);
    return {packets_.begin(), packets_.begin() + static_cast<std::ptrdiff_t>(Count())};
  }
  std::size_t Count() const { return count_.load(); }

  /// The payload of one packet.
  std::string Text(std::size_t index) const { return AsText(Packets().at(index).payload); }

  SendResult SendText(std::uint32_t type, std::string_view text) {
    return SendPacket(type, AsBytes(text));
  }

 private:
  void OnConnected() override {
    const Scope scope(*this, 'C');
    if (hooks_.on_connected) hooks_.on_connected(*this);
  }
  void OnPacket(const PacketView& packet) override {
    const Scope scope(*this, 'K', &count_, 1);
    if (!IsConnected()) Report("a packet at the end; ");
    {
      const std::lock_guard lock(mutex_);
      packets_.push_back({packet.type,
                          {packet.header.begin(), packet.header.end()},
                          {packet.payload.begin(), packet.payload.end()}});
    }
    if (hooks_.on_packet) hooks_.on_packet(*this, packet);
  }
  void OnPeerClosed() override {
    const Scope scope(*this, 'P');
    if (hooks_.on_peer_closed) hooks_.on_peer_closed(*this);
  }
  void OnDisconnected(const CloseInfo& info) override {
    const auto keep = shared_from_this();  // a test may let go as soon as it sees that it ended
    const Scope scope(*this, 'D');
    Write(info);
    if (hooks_.on_disconnected) hooks_.on_disconnected(*this, info);
  }

  const PacketHooks hooks_;
  mutable std::mutex mutex_;
  std::vector<ReferencePacket> packets_;
  std::atomic<std::size_t> count_{0};
};

using PacketSessionRef = std::shared_ptr<TestPacketSession>;

/// The factory of a World, and what it made. Lifetime: longer than the World's.
class PacketServer {
 public:
  explicit PacketServer(const PacketFormat& format, PacketHooks hooks = {})
      : format_(format), hooks_(std::move(hooks)) {}

  /// `options` with this server's sessions.
  WorldOptions Options(WorldOptions options = {}) {
    options.factory = [this]() -> std::shared_ptr<Session> {
      auto session = std::make_shared<TestPacketSession>(format_, hooks_);
      const std::lock_guard lock(mutex_);
      sessions_.push_back(session);
      return session;
    };
    return options;
  }

  struct Pair {
    TestSessionRef client;
    PacketSessionRef server;
  };

  /// A client that sends bytes, and the session that reads packets.
  Pair ConnectPair(World& world, Hooks hooks = {}) {
    Pair pair{world.Connect(std::move(hooks)), nullptr};
    REQUIRE(world.WaitFor([&] { return pair.client->WasConnected(); }));
    REQUIRE(world.WaitFor([&] {
      pair.server = ServerOf(*pair.client);
      return pair.server != nullptr && pair.server->WasConnected();
    }));
    return pair;
  }

  std::vector<PacketSessionRef> Sessions() const {
    const std::lock_guard lock(mutex_);
    return sessions_;
  }

  /// What must hold after any test.
  void CheckRules() const {
    for (const PacketSessionRef& session : Sessions()) CHECK(session->Violation() == "");
  }

 private:
  // Among those that live: a client may have the port of one before it.
  PacketSessionRef ServerOf(const TestSession& client) const {
    for (const PacketSessionRef& server : Sessions()) {
      if (!server->Ended() && server->PeerEndpoint() == client.LocalEndpoint() &&
          server->PeerEndpoint().GetFamily() != Endpoint::Family::kNone)
        return server;
    }
    return nullptr;
  }

  const PacketFormat format_;
  const PacketHooks hooks_;
  mutable std::mutex mutex_;
  std::vector<PacketSessionRef> sessions_;
};

/// The bytes of one packet.
inline std::string PacketText(const PacketFormat& format, std::uint32_t type,
                              std::string_view payload) {
  return AsText(std::as_const(*MakePacket(format, type, AsBytes(payload))).Bytes());
}

/// The formats that tests go through: the ready-made ones and one that is none of them.
inline const std::vector<PacketFormat>& TestFormats() {
  static const std::vector<PacketFormat> formats = {
      PacketFormat::TypeLengthPayload(2'000),
      PacketFormat::SizeAndId(1'000),
      PacketFormat::LengthPrefix(1),
      PacketFormat::LengthPrefix(2, 3'000),
      PacketFormat::LengthPrefix(4, 5'000),
      {.header_size = 11,
       .length_offset = 5,
       .length_width = 2,
       .length_counts_header = true,
       .type_offset = 1,
       .type_width = 4,
       .byte_order = std::endian::little,
       .max_payload_size = 300},
  };
  return formats;
}

/// Packets, and at the end perhaps a part of one, or bytes that are none.
inline std::string RandomStream(const PacketFormat& format, std::size_t most_packets,
                                std::mt19937& random) {
  std::string stream;
  const auto draw = [&] { return static_cast<std::uint32_t>(random()); };
  const auto add = [&](std::size_t size) {
    const std::uint32_t type = format.type_width > 0 ? draw() % 256 : 0;
    stream += PacketText(format, type, RandomText(size, draw()));
  };
  for (std::size_t count = random() % (most_packets + 1); count > 0; --count) {
    add(random() % ((random() % 8 == 0 ? format.max_payload_size : 20) + 1));
  }
  switch (random() % 3) {
    case 0:
      add(format.max_payload_size);
      stream.resize(stream.size() - 1 - random() % format.max_payload_size);
      break;
    case 1:
      stream += RandomText(draw() % 40, draw());
      break;
    default:
      break;
  }
  return stream;
}

/// How a stream that ends in FIN ends its session.
inline CloseReason ReasonOf(StreamEnd end) {
  switch (end) {
    case StreamEnd::kAtEdge:
      return CloseReason::kPeerClosed;
    case StreamEnd::kInside:
      return CloseReason::kTruncated;
    case StreamEnd::kBadLength:
      break;
  }
  return CloseReason::kBadLength;
}

}  // namespace netcore::test
