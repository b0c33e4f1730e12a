// A list through the sessions themselves: it needs no memory.
#include "chat/stragglers.h"

#include <utility>

#include "chat/chat_session.h"

namespace samples::chat {

void Stragglers::Add(std::shared_ptr<ChatSession> session) noexcept {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  session->next_straggler_ = std::move(first_);
  first_ = std::move(session);
}

void Stragglers::TryAgain() noexcept {
  std::shared_ptr<ChatSession> session = TakeAll();
  while (session != nullptr) {
    const std::shared_ptr<ChatSession> next = std::move(session->next_straggler_);
    session->BeGone();
    session = next;
  }
}

void Stragglers::Close() noexcept {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  std::shared_ptr<ChatSession> session = TakeAll();
  while (session != nullptr) session = std::exchange(session->next_straggler_, nullptr);
}

std::shared_ptr<ChatSession> Stragglers::TakeAll() noexcept {
  const std::lock_guard lock(mutex_);
  return std::move(first_);
}

}  // namespace samples::chat
