// SimExecutor: an executor without threads, in a simulation's time. Whoever drives it says whose
// step is next and when alarms ring.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "netcore/base/clock.h"
#include "netcore/base/executor.h"
#include "netcore/base/log.h"
#include "netcore/logic/executor_book.h"
#include "netcore/sim/memory_net.h"

namespace netcore {

/// Lifetime: shared by its driver and its queues. Threads: its net's one.
class SimExecutor final : public Executor {
 public:
  explicit SimExecutor(std::shared_ptr<const MemoryNet> net,
                       std::shared_ptr<const Log> log = std::make_shared<const Log>()) noexcept;

  TimePoint Now() const noexcept override { return net_->Now(); }
  const std::shared_ptr<const Log>& GetLog() const noexcept override { return log_; }
  [[nodiscard]] bool Join(Runnable& runnable) override { return book_.Join(runnable); }
  void Leave(Runnable& runnable) noexcept override { book_.Leave(runnable); }
  void Schedule(Runnable& runnable) noexcept override { book_.AddReady(runnable); }
  void SetAlarm(Runnable& runnable, TimePoint deadline) noexcept override;
  bool RunOther() override;

  /// What a wait does meanwhile; it returns false when nothing can happen any more, which for who
  /// waits is an assertion.
  void SetDriver(std::function<bool()> run_other) { run_other_ = std::move(run_other); }

  /// How many wait for a step.
  std::size_t ReadyCount() const noexcept { return book_.ReadyCount(); }

  /// A step, of at most `most` jobs, of the one that waits at `position`. Returns its number: they
  /// count up from 1 as they were made. Not from inside a step.
  std::uint64_t RunStep(std::size_t position, std::size_t most) noexcept;

  /// When RingOne has something to do; kNever if no alarm is set.
  TimePoint NextAlarm() const noexcept {
    return ringing_ != nullptr ? TimePoint::min() : book_.NextAlarm();
  }

  /// The first alarm that is due is not set any more; its owner hears of it in the next RingOne, as
  /// from a thread that was held up on its way. False if none is due.
  bool TakeAlarm() noexcept;

  /// Tells the owner of the alarm that was taken, or else of the first that is due. False if there
  /// is none.
  bool RingOne() noexcept;

  /// As LogicPool::Stop; only begins.
  void Stop(StopMode mode) noexcept;

  /// True when all queues are closed after a Stop.
  bool IsOver() const noexcept { return book_.IsStopping() && book_.IsEmpty(); }

 private:
  const std::shared_ptr<const MemoryNet> net_;
  const std::shared_ptr<const Log> log_;
  ExecutorBook book_;
  std::shared_ptr<Runnable> ringing_;  // taken, not told yet
  std::function<bool()> run_other_;
  bool in_step_ = false;
};

}  // namespace netcore
