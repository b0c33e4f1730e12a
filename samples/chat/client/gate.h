// Gate: where the thread that reads what is typed waits until somebody wants it.
#pragma once

#include <condition_variable>
#include <mutex>

namespace samples::chat {

///     closed <-> open -> ended
///         \---------------^
///
/// Threads: any.
class Gate {
 public:
  void Open() noexcept { Become(State::kOpen); }
  void Close() noexcept { Become(State::kClosed); }

  /// For good.
  void End() noexcept { Become(State::kEnded); }

  /// Waits while it is closed. False when it has ended.
  bool WaitOpen() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return state_ != State::kClosed; });
    return state_ == State::kOpen;
  }

 private:
  enum class State { kClosed, kOpen, kEnded };

  void Become(State state) noexcept {
    const std::lock_guard lock(mutex_);
    if (state_ != State::kEnded) state_ = state;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::kClosed;
};

}  // namespace samples::chat
