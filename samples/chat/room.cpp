// Who is in the room, how they come and how they go.
#include "chat/room.h"

#include <exception>
#include <new>
#include <utility>

#include "chat/answers.h"
#include "chat/chat.h"
#include "chat/chat_session.h"

namespace samples::chat {
namespace {

// What a session's job throws, where memory is short, ends that session and nothing else.
template <typename Action>
void RunFor(ChatSession& session, Action&& action) noexcept {
  try {
    action();
  } catch (const std::exception&) {
    session.Disconnect(netcore::CloseReason::kSystemError, netcore::Closing::kAbort);
  }
}

}  // namespace

Room::Room(Chat& chat, std::shared_ptr<netcore::Executor> executor, std::string_view name,
           netcore::GroupId group)
    : chat_(chat),
      name_(name),
      group_(group),
      queue_(netcore::JobQueue::Create(
          std::move(executor), {.name = "room " + std::string(name), .max_jobs = kMaxJobs})),
      history_(chat.Options().history) {}

netcore::PushResult Room::PushEnter(ChatSessionRef session) {
  return queue_->Push(
      [this, session = std::move(session)] { RunFor(*session, [&] { Enter(*session); }); });
}

netcore::PushResult Room::PushRequest(ChatSessionRef session, PacketType type,
                                      netcore::OwnedBytes payload) {
  return queue_->Push([this, session = std::move(session), payload = std::move(payload), type] {
    // One that is ending gets no answer any more, and is not to say half of what it had to say.
    if (session->IsConnected()) {
      RunFor(*session, [&] { Execute(*session, type, TextOf(payload.Bytes())); });
    }
    session->Executed(payload.Size());
  });
}

netcore::PushResult Room::PushFinish(ChatSessionRef session) {
  return queue_->Push([this, session = std::move(session)] {
    Flush();
    session->Disconnect(netcore::CloseReason::kPeerClosed);
  });
}

netcore::PushResult Room::PushGone(ChatSessionRef session) {
  return queue_->Push(
      [self = shared_from_this(), session = std::move(session)] { self->Gone(*session); });
}

void Room::Enter(ChatSession& session) {
  Flush();
  if (sessions_ == nullptr) sessions_ = session.Manager();
  const bool is_new = session.Name().empty();
  if (is_new) session.SetName(chat_.Names().ClaimGuest(session.Id()));
  members_.insert(session.Name());
  // Who has ended meanwhile joins no group, and is taken out by Gone.
  sessions_->Join(group_, session.Id());
  if (!is_new) {
    Greet(session);
    Announce({session.Name(), " joined"}, session.Id());
  }
  session.Arrive(shared_from_this());
}

void Room::Greet(ChatSession& session) {
  if (netcore::SendBufferRef earlier = history_.Packets()) session.Send(std::move(earlier));
  session.Answer(PacketType::kJoin, name_);
}

void Room::Move(ChatSession& session, std::string_view name) {
  if (name == name_) {
    Greet(session);
    return session.Stay();
  }
  const RoomRef next = chat_.Rooms().Enter(name);
  if (next == nullptr) {
    session.Refuse(Problem::kTooManyRooms, name);
    return session.Stay();
  }
  const RoomRef self = shared_from_this();  // the session may be the last who keeps the room
  sessions_->Leave(group_, session.Id());
  auto member = members_.extract(session.Name());
  session.SetNextRoom(next);
  netcore::PushResult pushed = netcore::PushResult::kFull;
  try {
    pushed = next->PushEnter(session.Self());
  } catch (const std::bad_alloc&) {  // the same
  }
  if (pushed != netcore::PushResult::kQueued) {
    session.SetNextRoom(nullptr);
    chat_.Rooms().Exit(*next);
    members_.insert(std::move(member));
    sessions_->Join(group_, session.Id());
    session.Refuse(Problem::kBusy);
    return session.Stay();
  }
  // From here on the session is the next room's, and not to be looked at.
  chat_.Rooms().Exit(*this);
  Announce({member.value(), " left"});
}

void Room::Gone(ChatSession& session) noexcept {
  // Who ended on the way never learns that it has arrived: its next room is still this one.
  const RoomRef& next = session.NextRoom();
  if (next != nullptr && next.get() != this) return session.FollowTo(*next);
  Flush();
  const auto member = members_.extract(session.Name());
  chat_.Names().Release(session.Name());
  chat_.Rooms().Exit(*this);
  if (member) Announce({member.value(), " left"});
}

void Room::FlushSoon() {
  if (flush_queued_) return;
  try {
    flush_queued_ = queue_->Push([self = shared_from_this()] {
      self->flush_queued_ = false;
      self->Flush();
    }) == netcore::PushResult::kQueued;
  } catch (const std::bad_alloc&) {  // the same as no place
  }
  if (!flush_queued_) Flush();
}

// To the speakers first: however many others there are, they do not wait for them. Who can't be
// heard for lack of memory must not go on as if he had been.
void Room::Flush() noexcept {
  if (batch_.Empty()) return;
  bool sent = false;
  try {
    sent = sessions_->BroadcastFirstTo(batch_.Speakers(), group_, batch_.Packets());
  } catch (const std::bad_alloc&) {  // not sent
  }
  if (sent) {
    history_.Add(batch_);
  } else {
    for (const netcore::SessionId speaker : batch_.Speakers()) {
      const netcore::SessionRef session = sessions_->Find(speaker);
      if (session != nullptr) {
        session->Disconnect(netcore::CloseReason::kSystemError, netcore::Closing::kAbort);
      }
    }
  }
  batch_.Clear();
}

// Better unsaid than at the cost of a session.
void Room::Announce(std::initializer_list<std::string_view> news,
                    netcore::SessionId except) noexcept {
  if (members_.size() > chat_.Options().announce_limit || name_ == kLobby) return;
  try {
    sessions_->Broadcast(group_, MakeNews(news), except);
  } catch (const std::bad_alloc&) {  // then not
  }
}

}  // namespace samples::chat
