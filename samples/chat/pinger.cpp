// A job that pushes itself again.
#include "chat/pinger.h"

#include <utility>

#include "chat/answers.h"
#include "chat/chat_session.h"

namespace samples::chat {

Pinger::Pinger(std::shared_ptr<netcore::Executor> executor)
    : queue_(netcore::JobQueue::Create(std::move(executor), {.name = "pings"})) {}

void Pinger::Begin(std::shared_ptr<netcore::SessionManager> sessions,
                   std::chrono::milliseconds interval) {
  sessions_ = std::move(sessions);
  interval_ = interval;
  Arm();
}

void Pinger::Arm() {
  static_cast<void>(queue_->PushAfter(interval_, [self = shared_from_this()] {
    self->Arm();  // first: a round that has no memory for its pings must not be the last
    self->PingSilent();
  }));
}

void Pinger::PingSilent() {
  const std::uint64_t over = round_.fetch_add(1, std::memory_order_relaxed);
  const netcore::SendBufferRef ping = MakeAnswer(PacketType::kPing, {});
  sessions_->ForEach([&](const netcore::SessionRef& session) {
    if (static_cast<const ChatSession&>(*session).LastRound() < over) session->Send(ping);
  });
}

}  // namespace samples::chat
