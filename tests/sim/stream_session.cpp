#include "tests/sim/stream_session.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace netcore::test {

// A hook that runs.
class StreamSession::Scope {
 public:
  explicit Scope(StreamSession& session) : session_(session) {
    SimWorld& world = session.stage_->world;
    world.Check(!session.inside_, "two hooks of one session run at once");
    world.Check(!session.ended_, "a hook came after OnDisconnected");
    session.inside_ = true;
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope() { session_.inside_ = false; }

 private:
  StreamSession& session_;
};

StreamSession::StreamSession(StageRef stage, const Role& role, bool is_server)
    : stage_(std::move(stage)), role_(role), is_server_(is_server), key_(++stage_->made) {}

StreamSession::~StreamSession() {
  if (connected_ && !ended_) stage_->world.Fail("a session was destroyed without OnDisconnected");
}

StreamRef StreamSession::Self() {
  return std::static_pointer_cast<StreamSession>(shared_from_this());
}

std::byte StreamSession::ByteAt(std::uint32_t key, std::uint64_t place) noexcept {
  if (place < 4) return static_cast<std::byte>((key >> (8 * place)) & 0xffU);
  return static_cast<std::byte>((key * 0x9e3779b9U + place * 0x85ebca6bU + (place >> 8U)) >> 13U);
}

SendResult StreamSession::SendNext(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t index = 0; index < size; ++index) bytes[index] = ByteAt(key_, sent_ + index);
  SendResult result;
  if (stage_->world.Random().OneIn(2)) {
    result = Send(bytes);
  } else {
    result = Send(SendBuffer::Copy(bytes));
  }
  if (result == SendResult::kQueued) sent_ += size;
  return result;
}

void StreamSession::Verify(std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes) {
    if (received_ < 4) {
      peer_key_ |= std::to_integer<std::uint32_t>(byte) << (8 * received_);
    } else if (byte != ByteAt(peer_key_, received_)) {
      stage_->world.Fail("session " + std::to_string(key_) + ": byte " + std::to_string(received_) +
                         " is not what was sent");
    }
    ++received_;
  }
}

void StreamSession::Mischief() {
  Stage& stage = *stage_;
  if (stage.mischief == 0 || !stage.world.Random().OneIn(stage.mischief)) return;
  if (stage.throws != 0 && stage.world.Random().OneIn(stage.throws)) {
    throw std::runtime_error("thrown on purpose");
  }
  if (stage.act) stage.act(*this);
}

void StreamSession::OnConnected() {
  const Scope scope(*this);
  stage_->world.Check(!connected_, "OnConnected came twice");
  connected_ = true;
  last_received_ = stage_->world.Now();
  stage_->sessions.push_back(Self());
  if (role_.begin) role_.begin(*this);
  Mischief();
}

void StreamSession::OnRecv(std::span<std::byte> bytes) {
  const Scope scope(*this);
  stage_->world.Check(connected_, "OnRecv came before OnConnected");
  stage_->world.Check(!peer_closed_, "OnRecv came after OnPeerClosed");
  stage_->world.Check(!bytes.empty(), "OnRecv brought nothing");
  last_received_ = stage_->world.Now();
  Verify(bytes);
  if (role_.receive) role_.receive(*this, bytes);
  Mischief();
}

void StreamSession::OnSend(std::size_t bytes) {
  const Scope scope(*this);
  stage_->world.Check(connected_, "OnSend came before OnConnected");
  told_sent_ += bytes;
  last_sent_ = stage_->world.Now();
  stage_->world.Check(told_sent_ <= sent_ + received_, "OnSend told of more than was sent");
  if (role_.sent) role_.sent(*this);
  Mischief();
}

void StreamSession::OnPeerClosed() {
  const Scope scope(*this);
  stage_->world.Check(connected_ && !peer_closed_, "OnPeerClosed came twice, or too early");
  peer_closed_ = true;
  if (role_.peer_closed) role_.peer_closed(*this);
  Mischief();
}

void StreamSession::OnDisconnected(const CloseInfo& info) {
  const Scope scope(*this);
  Stage& stage = *stage_;
  ended_ = true;
  info_ = info;
  ++stage.ended;
  if (!is_server_) ++stage.clients_ended;
  ++stage.reasons[static_cast<std::size_t>(info.reason)];
  std::erase(stage.sessions, Self());
  stage.world.Check(!IsConnected(), "a session that has ended is connected");
  stage.world.Check(Send(SendBufferRef()) == SendResult::kClosing, "a session that ended sends");
  stage.world.Note(ToString(info.reason));
  if (role_.end) role_.end(*this, info);
  Mischief();
}

}  // namespace netcore::test
