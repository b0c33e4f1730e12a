#include "tests/sim/packet_stream.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace netcore::test {
namespace {

// A payload: the sender's key, the packet's number, the sum of what follows and of these two.
constexpr std::size_t kFieldBytes = 4;
constexpr std::size_t kLeadBytes = 3 * kFieldBytes;

void PutNumber(std::span<std::byte> bytes, std::size_t field, std::uint32_t number) {
  for (std::size_t index = 0; index < kFieldBytes; ++index) {
    bytes[field * kFieldBytes + index] = static_cast<std::byte>((number >> (8 * index)) & 0xffU);
  }
}

std::uint32_t GetNumber(std::span<const std::byte> bytes, std::size_t field) {
  std::uint32_t number = 0;
  for (std::size_t index = 0; index < kFieldBytes; ++index) {
    number |= std::to_integer<std::uint32_t>(bytes[field * kFieldBytes + index]) << (8 * index);
  }
  return number;
}

// FNV-1a over all but the sum.
std::uint32_t SumOf(std::span<const std::byte> payload) {
  std::uint32_t sum = 0x811c9dc5U;
  for (std::size_t index = 0; index < payload.size(); ++index) {
    if (index >= 2 * kFieldBytes && index < kLeadBytes) continue;
    sum = (sum ^ std::to_integer<std::uint32_t>(payload[index])) * 0x01000193U;
  }
  return sum;
}

}  // namespace

// A hook that runs.
class PacketStream::Scope {
 public:
  explicit Scope(PacketStream& session) : session_(session) {
    SimWorld& world = session.stage_->world;
    world.Check(!session.inside_, "two hooks of one session run at once");
    world.Check(!session.ended_, "a hook came after OnDisconnected");
    world.Check(!session.resuming_, "a hook came from inside ResumeRecv");
    session.inside_ = true;
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope() { session_.inside_ = false; }

 private:
  PacketStream& session_;
};

PacketStream::PacketStream(PacketStageRef stage, bool is_server)
    : PacketSession(stage->format),
      stage_(std::move(stage)),
      is_server_(is_server),
      key_(static_cast<std::uint32_t>(stage_->senders.size())) {
  stage_->senders.emplace_back();
}

PacketStream::~PacketStream() {
  if (connected_ && !ended_) stage_->world.Fail("a session was destroyed without OnDisconnected");
}

PacketStreamRef PacketStream::Self() {
  return std::static_pointer_cast<PacketStream>(shared_from_this());
}

std::uint32_t PacketStream::TypeOf(std::uint32_t number) const noexcept {
  return Format().type_width == 0 ? 0 : number & 0xffU;
}

std::vector<std::byte> PacketStream::NextPayload() {
  SimRandom& random = stage_->world.Random();
  const auto most = static_cast<std::uint32_t>(Format().max_payload_size - kLeadBytes);
  std::uint32_t size = random.Below(std::min(most, 60U) + 1);
  if (random.OneIn(24)) size = random.OneIn(2) ? most : random.Below(most + 1);
  std::vector<std::byte> payload(kLeadBytes + size);
  for (std::size_t index = kLeadBytes; index < payload.size(); ++index) {
    payload[index] = static_cast<std::byte>(random.Below(256));
  }
  PutNumber(payload, 0, key_);
  PutNumber(payload, 1, Sender().packets);
  PutNumber(payload, 2, SumOf(payload));
  return payload;
}

void PacketStream::SendNext() {
  if (is_busy_) return;
  const std::vector<std::byte> payload = NextPayload();
  const std::uint32_t type = TypeOf(Sender().packets);
  SendResult result = SendResult::kClosing;
  switch (stage_->world.Random().Below(3)) {
    case 0:
      result = Send(MakePacket(Format(), type, payload));
      break;
    case 1:
      result = type == 0 ? SendPacket(payload) : SendPacket(type, payload);
      break;
    default:
      result = SendPacket(type, payload);
  }
  stage_->world.Check(result != SendResult::kBadPacket, "a packet that can be said is refused");
  if (result == SendResult::kQueued) ++Sender().packets;
}

void PacketStream::SendInPieces() {
  if (is_busy_) return;
  const std::vector<std::byte> payload = NextPayload();
  const SendBufferRef packet = MakePacket(Format(), TypeOf(Sender().packets), payload);
  ++Sender().packets;
  Sender().cuts = true;
  is_busy_ = true;
  SendPiece(
      std::make_shared<std::vector<std::byte>>(packet->Bytes().begin(), packet->Bytes().end()), 0);
}

void PacketStream::SendPiece(std::shared_ptr<std::vector<std::byte>> bytes, std::size_t at) {
  SimWorld& world = stage_->world;
  const std::size_t left = bytes->size() - at;
  const std::size_t most = left <= 40 ? left : std::max<std::size_t>(40, left / 2);
  const std::size_t size = 1 + world.Random().Below(static_cast<std::uint32_t>(most));
  if (Send(std::span(*bytes).subspan(at, size)) != SendResult::kQueued) return;
  if (size == left) {
    is_busy_ = false;
    return;
  }
  world.After(world.DrawTime(std::chrono::milliseconds(60)),
              [self = Self(), bytes = std::move(bytes), next = at + size]() mutable {
                self->SendPiece(std::move(bytes), next);
              });
}

void PacketStream::SendPart() {
  if (is_busy_) return;
  is_busy_ = Sender().cuts = true;
  const std::vector<std::byte> payload = NextPayload();
  const SendBufferRef packet = MakePacket(Format(), TypeOf(Sender().packets), payload);
  const auto size = static_cast<std::uint32_t>(packet->Size());
  static_cast<void>(Send(packet->Bytes().first(stage_->world.Random().Between(1, size - 1))));
}

void PacketStream::SendNonsense() {
  if (is_busy_) return;
  is_busy_ = Sender().lies = true;
  SimRandom& random = stage_->world.Random();
  // A length that is none first, so that no packet comes of it by accident.
  std::vector<std::byte> bytes(Format().header_size + random.Below(100));
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.Below(256));
  std::fill_n(bytes.begin() + Format().length_offset, Format().length_width, std::byte{0xff});
  static_cast<void>(Send(bytes));
}

void PacketStream::Pause() {
  if (inside_) paused_ = true;
  PauseRecv();
}

void PacketStream::Resume() {
  paused_ = false;
  resuming_ = true;
  ResumeRecv();
  resuming_ = false;
}

void PacketStream::Verify(const PacketView& packet) {
  SimWorld& world = stage_->world;
  if (packet.payload.size() < kLeadBytes) return world.Fail("a packet is too short to be ours");
  if (received_ == 0) peer_key_ = GetNumber(packet.payload, 0);
  const std::uint32_t number = GetNumber(packet.payload, 1);
  world.Check(GetNumber(packet.payload, 2) == SumOf(packet.payload), "a packet's sum is wrong");
  world.Check(GetNumber(packet.payload, 0) == peer_key_ && peer_key_ < stage_->senders.size(),
              "a packet is of another stream");
  world.Check(number == received_, "packet " + std::to_string(number) + " came in the place of " +
                                       std::to_string(received_));
  world.Check(packet.type == TypeOf(number), "a packet's type is not what was sent");
  world.Check(packet.header.size() == Format().header_size, "a header is not whole");
  ++received_;
  if (!world.HasFailed()) {
    world.Check(received_ <= stage_->senders[peer_key_].packets,
                "more packets came than were sent");
  }
}

void PacketStream::OnConnected() {
  const Scope scope(*this);
  stage_->world.Check(!connected_, "OnConnected came twice");
  connected_ = true;
  last_packet_ = stage_->world.Now();
  stage_->sessions.push_back(Self());
  if (is_server_) {
    SendNext();
  } else if (stage_->begin) {
    stage_->begin(*this);
  }
}

void PacketStream::OnPacket(const PacketView& packet) {
  const Scope scope(*this);
  SimWorld& world = stage_->world;
  world.Check(connected_ && IsConnected(), "OnPacket came to a session that is not connected");
  world.Check(!peer_closed_, "OnPacket came after OnPeerClosed");
  world.Check(!paused_, "OnPacket came after a pause");
  Verify(packet);
  std::fill(packet.payload.begin(), packet.payload.end(), std::byte{0xdb});  // ours until we return
  ++stage_->delivered;
  last_packet_ = world.Now();
  if (stage_->act) stage_->act(*this);
}

void PacketStream::OnPeerClosed() {
  const Scope scope(*this);
  stage_->world.Check(connected_ && !peer_closed_, "OnPeerClosed came twice, or too early");
  stage_->world.Check(!paused_, "OnPeerClosed came after a pause");
  peer_closed_ = true;
  if (stage_->world.Random().OneIn(2)) SendNext();
  Disconnect();
}

// Whether the peer did so, or, if it never said who it is, anybody.
bool PacketStream::PeerMay(bool PacketSender::* what) const {
  const std::vector<PacketSender>& senders = stage_->senders;
  if (received_ > 0) return senders[peer_key_].*what;
  return std::any_of(senders.begin(), senders.end(),
                     [what](const PacketSender& sender) { return sender.*what; });
}

void PacketStream::CheckReason(const CloseInfo& info) {
  SimWorld& world = stage_->world;
  const auto fins = world.Faults().GetCounts()[static_cast<std::size_t>(Fault::kPeerFin)];
  const Duration silence = world.Now() - last_packet_;
  switch (info.reason) {
    case CloseReason::kBadLength:
      return world.Check(PeerMay(&PacketSender::lies), "a length was bad, and nobody lied");
    case CloseReason::kTruncated:
      return world.Check(fins > 0 || PeerMay(&PacketSender::cuts), "a packet was cut by nobody");
    case CloseReason::kFirstPacketTimeout:
      world.Check(is_server_ && received_ == 0, "a first packet was waited for that had come");
      return world.Check(silence >= stage_->first_packet_timeout,
                         "a first packet had too little time");
    case CloseReason::kFrameTimeout:
      // It began after the packet before it.
      return world.Check(is_server_ && silence >= stage_->frame_timeout,
                         "a frame had too little time");
    default:
      return;
  }
}

void PacketStream::OnDisconnected(const CloseInfo& info) {
  const Scope scope(*this);
  ended_ = true;
  CheckReason(info);
  std::erase(stage_->sessions, Self());
  stage_->world.Check(SendPacket(0, {}) == SendResult::kClosing, "a session that ended sends");
  stage_->world.Note(ToString(info.reason));
}

}  // namespace netcore::test
