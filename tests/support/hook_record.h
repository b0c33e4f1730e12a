// HookRecord: what a session's hooks write down, and the rules that hold for the hooks of any.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

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

  /// What a hook has counted can be seen before it has done all that it does. A resume that another
  /// thread asks for comes before a pause that the hook is about to ask for, and does nothing.
  bool IsInHook() const { return inside_.load(); }

  /// What no session may ever see; empty when all is well.
  std::string Violation() const {
    const std::lock_guard lock(mutex_);
    return violation_;
  }

 protected:
  HookRecord() = default;
  ~HookRecord() = default;

  /// A hook that runs.
  class Scope {
   public:
    Scope(HookRecord& record, char letter) : record_(record) {
      const std::lock_guard lock(record.mutex_);
      record.Begin(letter);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { record_.inside_ = false; }

   private:
    HookRecord& record_;
  };

  void Report(std::string_view violation) {
    const std::lock_guard lock(mutex_);
    violation_ += violation;
  }
  void Connected() { connected_ = true; }

  /// Info() is there before Ended() says so, and a test may let go of the session as soon as it
  /// does.
  void HasEnded(const CloseInfo& info) {
    {
      const std::lock_guard lock(mutex_);
      info_ = info;
    }
    ended_ = true;
  }

 private:
  void Begin(char letter) {
    const auto here = std::this_thread::get_id();
    const bool first = trace_.empty();
    if (inside_.exchange(true)) violation_ += "two hooks at once; ";
    if (first) thread_ = here;
    if (thread_ != here) violation_ += "a hook on another thread; ";
    if (letter == 'C' && !first) violation_ += "OnConnected was not the first; ";
    if (letter != 'C' && letter != 'D' && first) violation_ += "before OnConnected; ";
    if (trace_.ends_with('D')) violation_ += "after OnDisconnected; ";
    if (first || trace_.back() != letter) trace_ += letter;
  }

  mutable std::mutex mutex_;
  std::string trace_;
  std::string violation_;
  CloseInfo info_;
  std::thread::id thread_;
  std::atomic<bool> inside_{false};
  std::atomic<bool> connected_{false};
  std::atomic<bool> ended_{false};
};

}  // namespace netcore::test
