// HookRecord: what a session's hooks write down, and the rules that hold for the hooks of any. That
// a session was connected, has ended, or has had so much can be seen when the hook that was told of
// it has returned or thrown: a test that waits for it does not overtake the hook.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "netcore/session/close_info.h"

namespace netcore::test {

/// A base of test sessions. Threads: what it tells, any.
class HookRecord {
 public:
  HookRecord(const HookRecord&) = delete;
  HookRecord& operator=(const HookRecord&) = delete;

  /// One letter a hook, in order, repeated ones once: C, R, S, K (OnPacket), P (OnPeerClosed), D.
  std::string Trace() const {
    const std::lock_guard lock(mutex_);
    return trace_;
  }
  CloseInfo Info() const {
    const std::lock_guard lock(mutex_);
    return info_;
  }
  std::thread::id HookThread() const {
    const std::lock_guard lock(mutex_);
    return thread_;
  }
  bool WasConnected() const { return connected_.load(); }
  bool Ended() const { return ended_.load(); }

  /// What no session may ever see; empty when all is well.
  std::string Violation() const {
    const std::lock_guard lock(mutex_);
    return violation_;
  }

 protected:
  HookRecord() = default;
  ~HookRecord() = default;

  /// A hook that runs. At its end `counter`, if there is one, has `more` more.
  class Scope {
   public:
    Scope(HookRecord& record, char letter, std::atomic<std::size_t>* counter = nullptr,
          std::size_t more = 0)
        : record_(record), letter_(letter), counter_(counter), more_(more) {
      record_.Begin(letter_);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() {
      if (counter_ != nullptr) *counter_ += more_;
      record_.End(letter_);
    }

   private:
    HookRecord& record_;
    const char letter_;
    std::atomic<std::size_t>* const counter_;
    const std::size_t more_;
  };

  void Report(std::string_view violation) {
    const std::lock_guard lock(mutex_);
    violation_ += violation;
  }
  void Write(const CloseInfo& info) {
    const std::lock_guard lock(mutex_);
    info_ = info;
  }

 private:
  void Begin(char letter) {
    const std::lock_guard lock(mutex_);
    const auto here = std::this_thread::get_id();
    const bool first = trace_.empty();
    if (std::exchange(inside_, true)) violation_ += "two hooks at once; ";
    if (first) thread_ = here;
    if (thread_ != here) violation_ += "a hook on another thread; ";
    if (letter == 'C' && !first) violation_ += "OnConnected was not the first; ";
    if (letter != 'C' && letter != 'D' && first) violation_ += "before OnConnected; ";
    if (trace_.ends_with('D')) violation_ += "after OnDisconnected; ";
  }

  void End(char letter) {
    const std::lock_guard lock(mutex_);
    inside_ = false;
    if (!trace_.ends_with(letter)) trace_ += letter;
    if (letter == 'C') connected_ = true;
    if (letter == 'D') ended_ = true;
  }

  mutable std::mutex mutex_;
  std::string trace_;
  std::string violation_;
  CloseInfo info_;
  std::thread::id thread_;
  bool inside_ = false;
  std::atomic<bool> connected_{false};
  std::atomic<bool> ended_{false};
};

}  // namespace netcore::test
