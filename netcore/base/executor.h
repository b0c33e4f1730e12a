// Executor: threads on which things run later, and the clock that goes with them. What runs there
// is a Runnable. LogicPool is an executor with real threads, the simulation has one without.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "netcore/base/clock.h"
#include "netcore/base/log.h"
#include "netcore/base/log_limit.h"
#include "netcore/base/timer_queue.h"

namespace netcore {

class ExecutorBook;

/// How something that holds work comes to its end.
enum class StopMode : std::uint8_t {
  kDrain,  // what is queued is run first
  kDrop,   // what is queued is destroyed without being run
};

/// What an executor runs, a step at a time: no two of its steps overlap, and each sees what the one
/// before it wrote.
///
/// Lifetime: held by a std::shared_ptr. Its executor shares it from Schedule until the step has
/// returned, and while its alarm is set. Threads: as said below.
class Runnable : public std::enable_shared_from_this<Runnable> {
 public:
  Runnable(const Runnable&) = delete;
  Runnable& operator=(const Runnable&) = delete;
  virtual ~Runnable() = default;

  /// Runs at most `most` jobs, then gives way. True: as if it had called Schedule right after.
  /// Threads: one of the executor's.
  [[nodiscard]] virtual bool RunStep(std::size_t most) noexcept = 0;

  /// The time of its alarm has come; the alarm is not set any more, unless it was set anew while
  /// this call was on its way. May come once after the alarm was moved or cancelled. Runs nothing
  /// that may take long. Threads: any, also during a step.
  virtual void OnAlarm() noexcept = 0;

  /// The executor is being stopped and waits until this has left. May come again with kDrop.
  /// Threads: any, also during a step.
  virtual void OnStop(StopMode mode) noexcept = 0;

  /// For reports. Threads: any.
  virtual std::string_view Name() const noexcept = 0;

  /// How many jobs were begun so far: tells one from the next. Threads: any.
  virtual std::uint64_t JobsBegun() const noexcept = 0;

 protected:
  Runnable() = default;

 private:
  friend class ExecutorBook;

  class Alarm final : public Timer {
   public:
    explicit Alarm(Runnable& owner) noexcept : owner_(owner) {}
    void OnTimer(TimePoint now) noexcept override;

   private:
    Runnable& owner_;
  };

  // All of this is the book's.
  ExecutorBook* book_ = nullptr;  // while joined
  Runnable* joined_before_ = nullptr;
  Runnable* joined_after_ = nullptr;
  Runnable* ready_after_ = nullptr;
  Runnable* due_after_ = nullptr;
  std::shared_ptr<Runnable> kept_ready_;
  std::shared_ptr<Runnable> kept_alarm_;  // while the alarm is set, or due
  Alarm alarm_{*this};
  bool due_ = false;
  std::uint64_t number_ = 0;
};

/// Lifetime: shared by all that run on it. Threads: any, but for what says otherwise.
class Executor {
 public:
  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  virtual TimePoint Now() const noexcept = 0;

  /// Where those that run here write to. Never null.
  virtual const std::shared_ptr<const Log>& GetLog() const noexcept = 0;

  /// Of the lines about jobs that threw: those that run here share it. It counts in Now().
  LogLimit& ThrowLogLimit() noexcept { return throw_log_limit_; }

  /// From now on `runnable` may run here, and is told when the executor stops. False when it has
  /// stopped, or begun to. Throws std::bad_alloc.
  [[nodiscard]] virtual bool Join(Runnable& runnable) = 0;

  /// The last that is heard of `runnable`, which has no alarm set. Does nothing to one that has not
  /// joined.
  virtual void Leave(Runnable& runnable) noexcept = 0;

  /// A step of `runnable`, which has joined, in its turn. Not again before that step has begun.
  virtual void Schedule(Runnable& runnable) noexcept = 0;

  /// OnAlarm at `deadline` or soon after, instead of what was set before; kNever sets none. May be
  /// called with a lock held that OnAlarm takes.
  virtual void SetAlarm(Runnable& runnable, TimePoint deadline) noexcept = 0;

  /// For who waits for something that happens here, outside of any step: an executor that has no
  /// threads of its own does something of what there is to do, and says true. False: just wait.
  virtual bool RunOther() { return false; }

 private:
  LogLimit throw_log_limit_;
};

}  // namespace netcore
