// Stragglers: sessions that have ended and could not tell their room, for lack of memory or of a
// place in its queue. They try again whenever somebody new comes.
#pragma once

#include <memory>
#include <mutex>

namespace samples::chat {

class ChatSession;

/// Owns: a share in each of them. Lifetime: its chat's. Threads: any.
class Stragglers {
 public:
  void Add(std::shared_ptr<ChatSession> session) noexcept;

  /// Those who fail again are here again.
  void TryAgain() noexcept;

  /// Forgets them; none stays from now on.
  void Close() noexcept;

 private:
  std::shared_ptr<ChatSession> TakeAll() noexcept;

  std::mutex mutex_;  // a leaf
  std::shared_ptr<ChatSession> first_;
  bool closed_ = false;
};

}  // namespace samples::chat
