// JobQueue: jobs that run one after another, on whichever thread of an executor is free: the actor
// that game logic is written as, one a room, one a zone, one a player. Knows neither sessions nor
// sockets: I/O ends at Push.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "netcore/base/clock.h"
#include "netcore/base/executor.h"
#include "netcore/base/log.h"
#include "netcore/base/log_limit.h"
#include "netcore/base/mailbox.h"
#include "netcore/base/task.h"
#include "netcore/logic/job_id.h"
#include "netcore/logic/timed_jobs.h"

namespace netcore {

class JobQueue;

using JobQueueRef = std::shared_ptr<JobQueue>;

struct JobQueueOptions {
  /// What the log calls it.
  std::string name = "jobs";

  /// How many jobs may wait at once, the timed ones among them. 0: no limit.
  std::size_t max_jobs = 65'536;

  /// Where a job that throws is told of; the executor's if null.
  std::shared_ptr<const Log> log{};
};

/// What became of a push, decided at once.
enum class PushResult : std::uint8_t {
  kQueued,  // the job will run in its turn, unless the queue is told to drop it
  kFull,    // JobQueueOptions::max_jobs wait; the job is destroyed, and counted
  kClosed,  // the queue, or its executor, is closing; the job is destroyed
};

/// Of PushAfter. The id names a job only if it was queued.
struct TimedPush {
  PushResult result = PushResult::kClosed;
  JobId id{};
};

/// Counted from the beginning, but for what waits. A reading while others push may be a job or two
/// out; pushed = run + dropped + cancelled + waiting.
struct JobQueueStats {
  std::uint64_t pushed = 0;     // and queued
  std::uint64_t run = 0;        // begun
  std::uint64_t thrown = 0;     // of those, ended by an exception
  std::uint64_t refused = 0;    // kFull
  std::uint64_t dropped = 0;    // at a close
  std::uint64_t cancelled = 0;  // once out of the queue
  std::size_t waiting = 0;      // the timed ones among them
  std::size_t timed = 0;        // not due yet
};

///     open -> draining -> closed
///         \       |      /
///          +-> dropping +
///
/// Jobs run in the order in which they were pushed, never two at once, and each sees what the one
/// before it wrote: so what only jobs of one queue touch needs no lock. The order is real: a push
/// that happens before another, in whichever threads, runs before it. A job that throws is logged
/// and the queue goes on. A job should not block: it keeps a thread that others wait for.
///
/// A queue that has many jobs gives way to other queues after a few of them. To push takes no lock
/// and, once warm, no memory, if the job is small enough for Task to keep it inside.
///
/// Lifetime: held by JobQueueRef, and by its executor while a job waits in it that will be due.
/// Threads: any, for all that is public; jobs may do all of it, but for what says otherwise.
class JobQueue final : public Runnable, private TaskRunner {
 public:
  /// Closed from the beginning if `executor` is stopping. Throws std::bad_alloc.
  [[nodiscard]] static JobQueueRef Create(std::shared_ptr<Executor> executor,
                                          JobQueueOptions options = {});

  ~JobQueue() override;

  /// Never blocks, never runs a job. Throws std::bad_alloc; `job` is then destroyed.
  PushResult Push(Task job);

  /// Pushes `job` when `delay` is over: at once if that is zero or negative, never if it is
  /// kForever or more than 292 years. A place is kept for it from now on: so it may be kFull now,
  /// but never then, and a job that is never due keeps its place until Cancel, or a close. A close
  /// before it is due drops it, whatever the mode. Takes a lock of this queue. Throws
  /// std::bad_alloc; `job` is then destroyed.
  template <typename Rep, typename Period>
  TimedPush PushAfter(std::chrono::duration<Rep, Period> delay, Task job) {
    return PushIn(ToDuration(delay), std::move(job));
  }

  /// True: that timed job has not begun and never will; it has been destroyed, here and now. False:
  /// it has begun, or was cancelled or dropped before, or `id` names none.
  bool Cancel(JobId id) noexcept { return timed_.Cancel(id); }

  /// From now on pushes say kClosed. What waits runs first, but for what is not due yet, or is
  /// destroyed without being run. Only begins, and any number of times: a later kDrop cuts a drain
  /// short. A job that runs is not interrupted. What is dropped is destroyed on this thread or the
  /// executor's.
  void Close(StopMode mode) noexcept;

  /// True when nothing runs or waits any more, for good.
  bool IsClosed() const noexcept { return GetState() == State::kClosed; }

  /// Waits, however long, for Close and for its end. Not from inside a job.
  void WaitClosed();

  /// True inside a job of this queue.
  bool IsRunningHere() const noexcept;

  JobQueueStats Stats() const noexcept;

  std::string_view Name() const noexcept override { return options_.name; }

 private:
  enum class State : std::uint8_t { kOpen, kDraining, kDropping, kClosed };

  class Place;

  JobQueue(std::shared_ptr<Executor> executor, JobQueueOptions options);

  bool RunStep(std::size_t most) noexcept override;
  void OnAlarm() noexcept override;
  void OnStop(StopMode mode) noexcept override { Close(mode); }
  std::uint64_t JobsBegun() const noexcept override { return run_.load(std::memory_order_relaxed); }

  void RunTask(Task& task) noexcept override;
  void DropTask(Task& task) noexcept override;
  void LogThrown(std::string_view separator, std::string_view what) noexcept;

  TimedPush PushIn(Duration delay, Task job);
  State GetState() const noexcept { return state_.load(std::memory_order_seq_cst); }
  std::int64_t CountWaiting(std::uint64_t taken) const noexcept;
  void ScheduleOnce() noexcept;
  bool FinishClose() noexcept;

  const std::shared_ptr<Executor> executor_;
  const JobQueueOptions options_;
  const bool has_own_log_;
  LogLimit own_throw_log_limit_;  // if it has a log of its own; else it shares the executor's

  //     a push                          a step that finds the mailbox empty
  //     into the mailbox                scheduled_ = false
  //     scheduled_?  no: true, and      anything unread?  yes: scheduled_ = true, and on
  //     to the executor
  //
  // Both are sequentially consistent: one of the two always sees the other. Whoever turns it from
  // false to true is the mailbox's reader, and hands that on to the executor; in a closed queue it
  // stays true.
  std::atomic<bool> scheduled_{false};
  std::atomic<State> state_{State::kOpen};

  // Every job takes a place when it is pushed. It is free again when the job begins, or was dropped
  // or cancelled.
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> run_{0};     // the reader's to write
  std::atomic<std::uint64_t> thrown_{0};  // the reader's to write
  std::atomic<std::uint64_t> dropped_{0};

  Mailbox mailbox_{*this};
  TimedJobs timed_;

  std::mutex closed_mutex_;  // a leaf
  std::condition_variable closed_;
};

}  // namespace netcore
