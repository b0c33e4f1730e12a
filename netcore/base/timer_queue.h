// TimerQueue: the deadlines of one worker, one job queue, one executor. Made for deadlines that
// mostly move later: moving one later is a store, and the queue finds out when the old deadline
// comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "netcore/base/clock.h"

namespace netcore {

class TimerQueue;

/// Something with a deadline. Lifetime: cancels itself when destroyed. Threads: its queue's.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  bool IsArmed() const noexcept { return deadline_ != kNever; }
  TimePoint Deadline() const noexcept { return deadline_; }

 protected:
  ~Timer();

  /// The deadline has passed; the timer is no longer armed. May arm and cancel any timer and
  /// destroy this one.
  virtual void OnTimer(TimePoint now) noexcept = 0;

 private:
  friend class TimerQueue;

  static constexpr std::uint32_t kNotQueued = UINT32_MAX;

  TimePoint deadline_ = kNever;  // when it is really due
  TimerQueue* queue_ = nullptr;
  std::uint32_t position_ = kNotQueued;  // in the queue's heap
};

/// A heap whose keys may be too early, never too late.
///
/// Owns: nothing but the heap; timers belong to whoever embeds them. Lifetime: outlives its armed
/// timers. Threads: one.
class TimerQueue {
 public:
  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  ~TimerQueue();

  /// Room for `count` timers: while no more than that are queued, Arm does not throw. Throws
  /// std::bad_alloc.
  void Reserve(std::size_t count);

  /// Sets or moves the deadline; kNever cancels. Throws std::bad_alloc only when more timers are
  /// queued than ever before; the timer is then not armed.
  void Arm(Timer& timer, TimePoint deadline);

  /// Does nothing to a timer that is not armed.
  void Cancel(Timer& timer) noexcept;

  /// When FireDue has something to do: never later than the earliest deadline, sometimes earlier.
  /// kNever when empty.
  TimePoint NextDeadline() const noexcept;

  /// Whether FireDue has something to do.
  bool IsDue(TimePoint now) const noexcept { return HeapSize() > 0 && entries_.front().key <= now; }

  /// Calls OnTimer of every timer due at `now`, in the order of their deadlines, and not again one
  /// that is armed from inside for `now` or earlier: that is for the next call. Returns how many
  /// were called.
  std::size_t FireDue(TimePoint now) noexcept;

  std::size_t Count() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    TimePoint key;           // at most the timer's deadline
    std::uint64_t sequence;  // orders equal keys, so that a simulation repeats itself
    Timer* timer;
  };

  static bool Before(const Entry& a, const Entry& b) noexcept;

  std::size_t HeapSize() const noexcept { return entries_.size() - postponed_count_; }
  void Append(Timer& timer, TimePoint deadline, bool postponed);
  void Remove(std::size_t position) noexcept;
  void Put(std::size_t position, const Entry& entry) noexcept;
  void SiftUp(std::size_t position) noexcept;
  void SiftDown(std::size_t position) noexcept;
  void QueuePostponed() noexcept;

  //     entries_   [ the heap ............... | postponed ]
  //                                            ^ HeapSize()
  // What is armed from inside FireDue for its `now` or earlier is postponed: no part of the heap
  // until that call ends.
  std::vector<Entry> entries_;
  std::size_t postponed_count_ = 0;
  std::uint64_t next_sequence_ = 0;
  bool firing_ = false;
  TimePoint firing_now_{};
};

}  // namespace netcore
