// The rows of docs/scenarios.md about packets, each under some dozens of seeds.
#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "netcore/session/packet_session.h"
#include "tests/sim/rows_support.h"
#include "tests/sim/scenario_parts.h"
#include "tests/support/bytes.h"
#include "tests/support/packet_reference.h"

namespace netcore::test {
namespace {

using std::chrono::milliseconds;

const PacketFormat kFormat = PacketFormat::TypeLengthPayload(1'000);

std::string Packet(std::uint32_t type, std::string_view payload) {
  return AsText(std::as_const(*MakePacket(kFormat, type, AsBytes(payload))).Bytes());
}

// Sends bytes, which may be packets or not, and keeps those that come.
class BytesClient final : public Session {
 public:
  explicit BytesClient(std::string first) : first_(std::move(first)) {}

  void Say(std::string_view text) { static_cast<void>(Send(AsBytes(text))); }

  const std::string& Received() const { return received_; }
  const CloseInfo& Info() const { return info_; }
  bool Ended() const { return ended_; }

 private:
  void OnConnected() override { Say(first_); }
  void OnRecv(std::span<std::byte> bytes) override { received_ += AsText(bytes); }
  void OnDisconnected(const CloseInfo& info) override {
    ended_ = true;
    info_ = info;
  }

  const std::string first_;
  std::string received_;
  CloseInfo info_;
  bool ended_ = false;
};

// What all sessions of one world share; outlives them.
struct Place {
  explicit Place(SimWorld& its_world) : world(its_world) {}

  SimWorld& world;
  std::vector<std::shared_ptr<class PacketServerSession>> servers;
  bool is_over = false;  // nobody asks for the sessions any more
};

// Answers each packet with itself.
class PacketServerSession final : public PacketSession {
 public:
  PacketServerSession(std::shared_ptr<Place> place, const PacketFormat& format)
      : PacketSession(format), place_(std::move(place)) {}

  const std::vector<std::string>& Payloads() const { return payloads_; }
  const CloseInfo& Info() const { return info_; }
  bool Ended() const { return ended_; }
  Duration Life() const { return ended_at_ - connected_at_; }

 private:
  void OnConnected() override { connected_at_ = place_->world.Now(); }
  void OnPacket(const PacketView& packet) override {
    place_->world.Check(IsConnected() && !ended_, "a packet came to a session that ends");
    payloads_.push_back(AsText(packet.payload));
    static_cast<void>(SendPacket(packet.type, packet.payload));
  }
  void OnDisconnected(const CloseInfo& info) override {
    place_->world.Check(!ended_, "OnDisconnected came twice");
    ended_ = true;
    ended_at_ = place_->world.Now();
    info_ = info;
  }

  const std::shared_ptr<Place> place_;
  std::vector<std::string> payloads_;
  TimePoint connected_at_{};
  TimePoint ended_at_{};
  CloseInfo info_;
  bool ended_ = false;
};

using ServerRef = std::shared_ptr<PacketServerSession>;
using ClientRef = std::shared_ptr<BytesClient>;

// One server of packets, a canary that must be served whatever happens to the others, and them.
class Scene {
 public:
  Scene(SimWorld& world, const SessionOptions& options, const PacketFormat& format = kFormat)
      : world_(world), place_(std::make_shared<Place>(world)) {
    world.Listen(
        kPort,
        [place = place_, format] {
          auto session = std::make_shared<PacketServerSession>(place, format);
          if (!place->is_over) place->servers.push_back(session);
          return session;
        },
        options);
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;
  // Sessions hold the place, and end after this.
  ~Scene() {
    place_->is_over = true;
    place_->servers.clear();
  }

  SimWorld& World() { return world_; }

  ClientRef Connect(std::string first) {
    auto client = std::make_shared<BytesClient>(std::move(first));
    if (const Error error = world_.Connect(kPort, client)) world_.Fail(error.Message());
    return client;
  }

  // Connects and waits for the session at the other end.
  std::pair<ClientRef, ServerRef> ConnectPair(std::string first = {}) {
    const std::size_t before = place_->servers.size();
    ClientRef client = Connect(std::move(first));
    const bool there = world_.RunUntil([&] { return place_->servers.size() > before; });
    world_.Check(there, "a client is let in");
    return {std::move(client), there ? place_->servers.back() : nullptr};
  }

  // Runs until the session ends, and says whether it did for that reason.
  void CheckEnds(const ServerRef& server, CloseReason reason) {
    if (world_.HasFailed()) return;
    world_.Check(world_.RunUntil([&] { return server->Ended(); }), "the session ends");
    world_.Check(server->Info().reason == reason,
                 "it ends with: " + std::string(ToString(server->Info().reason)));
  }

  const std::vector<ServerRef>& Servers() const { return place_->servers; }

 private:
  SimWorld& world_;
  const std::shared_ptr<Place> place_;
};

// A client that must be served to the end.
class Canary {
 public:
  explicit Canary(Scene& scene) : scene_(scene), client_(scene.ConnectPair(Packet(1, "?")).first) {
    CheckServed(Packet(1, "?"));
  }
  void CheckStillServed() {
    client_->Say(Packet(2, "!"));
    CheckServed(Packet(1, "?") + Packet(2, "!"));
  }

 private:
  void CheckServed(const std::string& expected) {
    scene_.World().Check(scene_.World().RunUntil([&] { return client_->Received() == expected; }) &&
                             !client_->Ended(),
                         "the canary is served");
  }

  Scene& scene_;
  ClientRef client_;
};

std::string Filled(std::size_t size, char with) { return std::string(size, with); }

TEST_CASE("a length below its own header ends the session without a spin", "[sim][row1]") {
  UnderSeeds(40, [](SimWorld& world) {
    AddHarmlessFaults(world);
    Scene scene(world, {}, PacketFormat::SizeAndId());
    for (const char length : {'\0', '\1', '\3'}) {
      const std::uint64_t before = world.Trace().CompletionCount();
      const auto [client, server] =
          scene.ConnectPair(std::string{length, 0, 7, 0} + Filled(3'000, 'x'));
      scene.CheckEnds(server, CloseReason::kBadLength);
      world.Check(server->Payloads().empty(), "nothing is delivered");
      world.Check(world.RunUntil([&] { return client->Ended(); }), "the peer is told");
      world.Check(world.Trace().CompletionCount() - before < 5'000, "nothing spins");
    }
  });
}

TEST_CASE("a length at the maximum is delivered, one above it ends the session at its header",
          "[sim][row2]") {
  UnderSeeds(60, [](SimWorld& world) {
    AddHarmlessFaults(world);
    Scene scene(world, {});
    const std::string whole = Packet(1, Filled(1'000, 'm'));
    const auto [client, server] = scene.ConnectPair(whole);
    world.Check(world.RunUntil([&, c = client] { return c->Received() == whole; }),
                "the largest packet is delivered and answered");
    client->Say({"\1\0\0\3\xe9", 5});  // 1,001; nothing of the body
    scene.CheckEnds(server, CloseReason::kBadLength);
  });
}

TEST_CASE("a packet that is begun and not finished ends its session in time, however it trickles",
          "[sim][row3]") {
  UnderSeeds(60, [](SimWorld& world) {
    AddHarmlessFaults(world);
    SessionOptions options;
    options.frame_timeout = milliseconds(5'000);
    Scene scene(world, options);
    Canary canary(scene);
    const std::string part = Packet(1, Filled(500, 'p'));
    const auto [silent, silent_server] = scene.ConnectPair(part.substr(0, 15));
    const auto [slow, slow_server] = scene.ConnectPair(part.substr(0, 1));
    std::function<void(std::size_t)> trickle = [&, client = slow](std::size_t at) {
      if (at >= part.size() || client->Ended()) return;
      client->Say(part.substr(at, 1));
      world.After(std::chrono::seconds(1), [&, at] { trickle(at + 1); });
    };
    trickle(1);
    scene.CheckEnds(silent_server, CloseReason::kFrameTimeout);
    scene.CheckEnds(slow_server, CloseReason::kFrameTimeout);
    for (const ServerRef& server : {silent_server, slow_server}) {
      world.Check(server->Payloads().empty(), "the part is not delivered");
      world.Check(server->Life() >= milliseconds(5'000), "not before its time");
      world.Check(server->Life() < milliseconds(6'500), "not long after it");
    }
    world.Check(world.RunUntil([&, c = slow] { return c->Ended(); }), "the peer is told");
    world.RunFor(std::chrono::seconds(2));  // the last of the trickle
    canary.CheckStillServed();
  });
}

TEST_CASE(
    "one byte a segment, or a thousand packets in one with the last one cut: the same packets",
    "[sim][row4]") {
  UnderSeeds(25, [](SimWorld& world) {
    AddHarmlessFaults(world);
    Scene scene(world, {});
    std::string thousand;
    for (std::size_t count = 0; count < 1'000; ++count) {
      thousand += Packet(1, Filled(count % 7, static_cast<char>('a' + count % 26)));
    }
    const std::string some = thousand.substr(0, 400);
    const auto [joined, joined_server] = scene.ConnectPair();
    joined->Say(thousand.substr(0, thousand.size() - 1));
    const auto [dripping, dripping_server] = scene.ConnectPair();
    for (std::size_t at = 0; at < some.size(); ++at) {
      dripping->Say(some.substr(at, 1));
      if (world.Random().OneIn(2)) world.RunFor(milliseconds(1));
    }
    const auto expected = [](const std::string& stream) {
      std::vector<std::string> payloads;
      for (const ReferencePacket& packet : ReferenceDecode(kFormat, AsBytes(stream)).packets)
        payloads.push_back(AsText(packet.payload));
      return payloads;
    };
    joined->ShutdownSend();
    dripping->ShutdownSend();
    scene.CheckEnds(joined_server, CloseReason::kTruncated);
    world.RunUntil([&, s = dripping_server] { return s->Ended(); });
    world.Check(joined_server->Payloads() == expected(thousand.substr(0, thousand.size() - 1)),
                "999 of a thousand");
    world.Check(dripping_server->Payloads() == expected(some), "all that dripped in");
  });
}

TEST_CASE("random bytes and packets in random pieces give what a plain decoder finds in them",
          "[sim][row5]") {
  UnderSeeds(120, [](SimWorld& world) {
    AddHarmlessFaults(world);
    Scene scene(world, {});
    SimRandom& random = world.Random();
    std::string stream;
    for (std::uint32_t count = random.Below(20); count > 0; --count) {
      stream += Packet(random.Below(256), Filled(random.Below(random.OneIn(4) ? 1'000 : 9), 'r'));
    }
    if (random.OneIn(2)) stream = stream.substr(0, stream.size() * random.Between(5, 8) / 8);
    if (random.OneIn(3)) {
      for (int count = 0; count < 12; ++count) stream += static_cast<char>(random.Below(256));
    }
    const ReferenceStream expected = ReferenceDecode(kFormat, AsBytes(stream));
    const auto [client, server] = scene.ConnectPair();
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = random.Between(1, random.OneIn(2) ? 3 : 900);
      client->Say(std::string_view(stream).substr(at, size));
      at += size;
      if (random.OneIn(3)) world.RunFor(world.DrawTime(milliseconds(20)));
    }
    client->ShutdownSend();
    scene.CheckEnds(server, expected.end == StreamEnd::kBadLength ? CloseReason::kBadLength
                            : expected.end == StreamEnd::kInside  ? CloseReason::kTruncated
                                                                  : CloseReason::kPeerClosed);
    bool same = server->Payloads().size() == expected.packets.size();
    for (std::size_t index = 0; same && index < expected.packets.size(); ++index) {
      same = server->Payloads()[index] == AsText(expected.packets[index].payload);
    }
    world.Check(same, "the packets are those of the whole stream");
  });
}

TEST_CASE("good, good, bad in one segment: two are delivered and answered, then the end",
          "[sim][row7]") {
  UnderSeeds(60, [](SimWorld& world) {
    AddHarmlessFaults(world);
    Scene scene(world, {});
    const std::string good = Packet(1, "one") + Packet(2, "two");
    const auto [client, server] =
        scene.ConnectPair(good + std::string("\3\0\1\0\0", 5) + Packet(4, "four"));
    scene.CheckEnds(server, CloseReason::kBadLength);
    world.Check(server->Payloads() == std::vector<std::string>{"one", "two"}, "two, no more");
    world.Check(world.RunUntil([&, c = client] { return c->Ended(); }), "the peer is told");
    world.Check(client->Received() == good, "what was queued left first");
    world.Check(client->Info().reason == CloseReason::kPeerClosed, "and then a clean end");
  });
}

TEST_CASE("probes of other protocols end by name and disturb nobody", "[sim][row8]") {
  UnderSeeds(40, [](SimWorld& world) {
    AddHarmlessFaults(world);
    SessionOptions options;
    options.first_packet_timeout = milliseconds(4'000);
    options.frame_timeout = milliseconds(2'000);
    Scene scene(world, options);
    Canary canary(scene);
    const std::vector<std::string> probes = {
        "GET / HTTP/1.0\r\n\r\n",
        std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + Filled(400, '\x7e'),
        "SSH-2.0-probe\r\n",
        std::string("\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03", 16),
        std::string(1, '\0'),
        "",
    };
    std::vector<ServerRef> servers;
    for (const std::string& probe : probes) servers.push_back(scene.ConnectPair(probe).second);
    for (const ServerRef& server : servers) {
      world.Check(world.RunUntil([&] { return server->Ended(); }), "each probe ends");
      const CloseReason reason = server->Info().reason;
      world.Check(reason == CloseReason::kBadLength || reason == CloseReason::kFrameTimeout ||
                      reason == CloseReason::kFirstPacketTimeout,
                  "by name");
    }
    world.Check(servers.back()->Info().reason == CloseReason::kFirstPacketTimeout,
                "the silent one");
    canary.CheckStillServed();
  });
}

TEST_CASE("FIN in the middle of a packet: the packets before it, and kTruncated", "[sim][row11]") {
  UnderSeeds(80, [](SimWorld& world) {
    AddHarmlessFaults(world);
    SessionOptions options;
    options.on_peer_close =
        world.Random().OneIn(2) ? PeerClose::kKeepOpen : PeerClose::kCloseAfterFlush;
    Scene scene(world, options);
    const std::string whole = Packet(1, "whole");
    const std::string cut = Packet(2, Filled(300, 'c'));
    const auto [client, server] = scene.ConnectPair(
        whole +
        cut.substr(0, world.Random().Between(1, static_cast<std::uint32_t>(cut.size()) - 1)));
    client->ShutdownSend();
    scene.CheckEnds(server, CloseReason::kTruncated);
    world.Check(server->Payloads() == std::vector<std::string>{"whole"}, "the part is not there");
    world.Check(world.RunUntil([&, c = client] { return c->Ended(); }), "the peer is told");
    world.Check(client->Received() == whole, "the answer left first");
  });
}

TEST_CASE(
    "hundreds of silent connections each end at their first packet's time, and nobody notices",
    "[sim][row25]") {
  UnderSeeds(3, [](SimWorld& world) {
    SessionOptions options;
    options.first_packet_timeout = milliseconds(10'000);
    Scene scene(world, options);
    Canary canary(scene);
    constexpr std::size_t kSilent = 400;
    std::vector<ClientRef> clients;
    for (std::size_t count = 0; count < kSilent; ++count) clients.push_back(scene.Connect(""));
    const auto ended = [&] {
      return static_cast<std::size_t>(
          std::count_if(scene.Servers().begin(), scene.Servers().end(),
                        [](const ServerRef& server) { return server->Ended(); }));
    };
    world.Check(world.RunUntil([&] { return ended() == kSilent; }), "all that are silent end");
    for (const ServerRef& server : scene.Servers()) {
      if (!server->Ended()) continue;
      world.Check(server->Info().reason == CloseReason::kFirstPacketTimeout, "by name");
      world.Check(server->Life() >= milliseconds(10'000), "not before their time");
      world.Check(server->Life() < milliseconds(11'500), "not long after it");
    }
    canary.CheckStillServed();
  });
}

TEST_CASE("an allocation that fails while packets are joined ends at most its session",
          "[sim][row27]") {
  SimOptions options;
  options.server_workers = options.client_workers = 1;
  std::uint64_t failed = 0;
  for (std::uint64_t nth = 1; nth <= 100; ++nth) {
    CAPTURE(nth);
    const FaultPlan::Counts faults = UnderSeeds(
        2,
        [nth](SimWorld& world) {
          world.Faults().SetRate(Fault::kShortRecv, 0.5);
          Scene scene(world, {});
          Canary canary(scene);
          world.FailAllocation(nth);
          const std::string stream = Packet(1, Filled(900, 'j')) + Packet(2, Filled(400, 'k'));
          std::vector<ClientRef> clients;
          for (int count = 0; count < 4; ++count) clients.push_back(scene.Connect(stream));
          const auto is_over = [&](const ClientRef& client) {
            return client->Ended() || client->Received() == stream;
          };
          world.Check(
              world.RunUntil([&] { return std::all_of(clients.begin(), clients.end(), is_over); }),
              "each client is served or told");
          world.Check(std::count_if(clients.begin(), clients.end(),
                                    [](const ClientRef& client) { return client->Ended(); }) <= 1,
                      "more than one session ended of it");
          world.FailAllocation(0);
          canary.CheckStillServed();
        },
        options);
    failed += CountOf(faults, Fault::kNoMemory);
  }
  CHECK(failed > 60);
}

}  // namespace
}  // namespace netcore::test
