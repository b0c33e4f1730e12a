// ExecutorBook: what every executor writes down: who has joined, who waits for a turn, whose alarm
// is set. Knows no thread and no lock: its executor brings them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "netcore/base/clock.h"
#include "netcore/base/executor.h"
#include "netcore/base/timer_queue.h"

namespace netcore {

/// All lists are intrusive: once somebody has joined, nothing here needs memory.
///
/// Owns: a share in who waits for a turn or has an alarm set. What a function returns is to be let
/// go of without the lock: it may be the last. Lifetime: its executor's; nobody is joined any more
/// when it ends. Threads: one at a time.
class ExecutorBook {
 public:
  ExecutorBook() = default;
  ExecutorBook(const ExecutorBook&) = delete;
  ExecutorBook& operator=(const ExecutorBook&) = delete;
  ~ExecutorBook();

  /// False once stopping. Throws std::bad_alloc.
  [[nodiscard]] bool Join(Runnable& runnable);
  void Leave(Runnable& runnable) noexcept;
  bool IsEmpty() const noexcept { return first_joined_ == nullptr; }

  /// Counts up from 1 in the order of Join.
  static std::uint64_t NumberOf(const Runnable& runnable) noexcept { return runnable.number_; }

  /// At the end of those that wait for a turn.
  void AddReady(Runnable& runnable) noexcept;
  std::size_t ReadyCount() const noexcept { return ready_count_; }

  /// Takes out the one that waits at `position`, from 0 to ReadyCount - 1.
  std::shared_ptr<Runnable> TakeReady(std::size_t position = 0) noexcept;

  [[nodiscard]] std::shared_ptr<Runnable> SetAlarm(Runnable& runnable, TimePoint deadline) noexcept;

  /// When TakeDue may have somebody. kNever: not until SetAlarm.
  TimePoint NextAlarm() const noexcept {
    return first_due_ != nullptr ? TimePoint::min() : alarms_.NextDeadline();
  }

  /// One whose alarm is due at `now`, in the order of their deadlines; null if there is none.
  std::shared_ptr<Runnable> TakeDue(TimePoint now) noexcept;

  /// From now on nobody joins, and TakeToStop goes through all that have. Again: with kDrop, if
  /// that was not the mode yet; otherwise it does nothing.
  void BeginStop(StopMode mode) noexcept;
  bool IsStopping() const noexcept { return stopping_; }

  /// The next one that is to be told of the stop, and the mode; null when all were.
  std::shared_ptr<Runnable> TakeToStop(StopMode& mode) noexcept;

 private:
  friend class Runnable;

  void AddDue(Runnable& runnable) noexcept;

  Runnable* first_joined_ = nullptr;
  Runnable* last_joined_ = nullptr;
  std::size_t joined_count_ = 0;
  std::uint64_t last_number_ = 0;

  Runnable* first_ready_ = nullptr;
  Runnable* last_ready_ = nullptr;
  std::size_t ready_count_ = 0;

  TimerQueue alarms_;
  Runnable* first_due_ = nullptr;
  Runnable* last_due_ = nullptr;

  bool stopping_ = false;
  StopMode stop_mode_ = StopMode::kDrain;
  Runnable* to_stop_ = nullptr;
};

}  // namespace netcore
