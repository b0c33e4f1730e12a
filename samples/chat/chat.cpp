// Making sessions, and counting.
#include "chat/chat.h"

#include <utility>

#include "chat/chat_session.h"

namespace samples::chat {

Chat::Chat(std::shared_ptr<netcore::Executor> executor, const ChatOptions& options)
    : options_(options), rooms_(*this, executor), pinger_(std::make_shared<Pinger>(executor)) {}

netcore::SessionFactory Chat::Sessions() {
  return [chat = shared_from_this()] { return std::make_shared<ChatSession>(chat); };
}

void Chat::BeginPings(std::shared_ptr<netcore::SessionManager> sessions) {
  if (options_.ping_interval > std::chrono::milliseconds::zero()) {
    pinger_->Begin(std::move(sessions), options_.ping_interval);
  }
}

void Chat::Stop() noexcept {
  pinger_->Stop();
  stragglers_.Close();
}

ChatStats Chat::Stats() const noexcept {
  ChatStats stats;
  stats.rooms = rooms_.Count();
  stats.names = names_.Count();
  stats.messages = messages_.load(std::memory_order_relaxed);
  stats.refused = refused_.load(std::memory_order_relaxed);
  stats.busy = busy_.load(std::memory_order_relaxed);
  return stats;
}

void Chat::CountRefusal(Problem problem) noexcept {
  refused_.fetch_add(1, std::memory_order_relaxed);
  if (problem == Problem::kBusy) busy_.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace samples::chat
