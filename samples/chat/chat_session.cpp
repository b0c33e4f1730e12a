// From packets to jobs, and the two reasons not to read.
#include "chat/chat_session.h"

#include <exception>
#include <new>
#include <utility>

#include "chat/answers.h"
#include "chat/chat.h"

namespace samples::chat {

ChatSession::ChatSession(std::shared_ptr<Chat> chat)
    : PacketSession(RequestFormat()), chat_(std::move(chat)) {}

void ChatSession::OnConnected() {
  chat_->GetStragglers().TryAgain();
  PauseRecv();
  room_ = chat_->Rooms().EnterLobby();
  if (room_->PushEnter(Self()) != netcore::PushResult::kQueued) {
    Disconnect(netcore::CloseReason::kLimitReached);
  }
}

void ChatSession::OnPacket(const netcore::PacketView& packet) {
  last_round_.store(chat_->GetPinger().Round(), std::memory_order_relaxed);
  const auto type = static_cast<PacketType>(packet.type);
  if (type == PacketType::kPing) {
    if (!packet.payload.empty()) SendPacket(packet.type, packet.payload);
    return;
  }
  netcore::OwnedBytes payload = Keep(packet.payload);
  if (window_.Enter(packet.payload.size())) too_much_ = true;
  if (type == PacketType::kJoin || type == PacketType::kLeave) moving_ = true;
  if (moving_ || too_much_) PauseRecv();
  switch (room_->PushRequest(Self(), type, std::move(payload))) {
    case netcore::PushResult::kQueued:
      return;
    case netcore::PushResult::kFull:
      moving_ = false;
      Executed(packet.payload.size());
      Refuse(Problem::kBusy);
      return ReadAgain();
    case netcore::PushResult::kClosed:
      return Disconnect(netcore::CloseReason::kServiceStopping);
  }
}

// Behind all that it asked for, so that it gets all the answers.
void ChatSession::OnPeerClosed() {
  if (room_->PushFinish(Self()) == netcore::PushResult::kQueued) return;
  Disconnect(netcore::CloseReason::kPeerClosed);
}

void ChatSession::OnDisconnected(const netcore::CloseInfo&) {
  if (room_ != nullptr) BeGone();
}

void ChatSession::BeGone() noexcept { FollowTo(*room_); }

void ChatSession::FollowTo(Room& next) noexcept {
  try {
    if (next.PushGone(Self()) != netcore::PushResult::kFull) return;
  } catch (const std::bad_alloc&) {  // the same
  }
  chat_->GetStragglers().Add(Self());
}

void ChatSession::Answer(PacketType type, std::string_view text) { Send(MakeAnswer(type, text)); }

void ChatSession::Refuse(Problem problem, std::string_view name) {
  chat_->CountRefusal(problem);
  Answer(PacketType::kNotice, NoticeOf(problem, name));
}

void ChatSession::Executed(std::size_t bytes) noexcept {
  if (!window_.Leave(bytes)) return;
  OnOwnThread([this] {
    too_much_ = false;
    ReadAgain();
  });
}

void ChatSession::Arrive(RoomRef room) noexcept {
  OnOwnThread([this, room = std::move(room)]() mutable {
    room_ = std::move(room);
    next_room_.reset();
    moving_ = false;
    ReadAgain();
  });
}

void ChatSession::Stay() noexcept {
  OnOwnThread([this] {
    moving_ = false;
    ReadAgain();
  });
}

// Behind what was sent to it so far. Who can't be told for lack of memory would wait for ever.
template <typename Action>
void ChatSession::OnOwnThread(Action action) noexcept {
  try {
    static_cast<void>(Post(std::move(action)));
  } catch (const std::bad_alloc&) {
    Disconnect(netcore::CloseReason::kSystemError, netcore::Closing::kAbort);
  }
}

void ChatSession::ReadAgain() noexcept {
  if (!moving_ && !too_much_) ResumeRecv();
}

}  // namespace samples::chat
