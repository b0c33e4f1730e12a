// TimedJobs: the jobs of one queue that are not due yet. Knows the queue's mailbox, where they go
// when they are; knows nothing of its bounds.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "netcore/base/clock.h"
#include "netcore/base/executor.h"
#include "netcore/base/mailbox.h"
#include "netcore/base/task.h"
#include "netcore/base/timer_queue.h"
#include "netcore/logic/job_id.h"

namespace netcore {

///     free -> armed -> due, in the mailbox -> free, then it runs
///               |              |
///               |              +-- Cancel --> an empty shell in the mailbox -> free
///               +---- Cancel ---------------------------------------------------^
///
/// Tasks are destroyed without the lock.
///
/// Owns: the tasks. Lifetime: its queue's, as are all that the constructor is given. Threads: any,
/// but for what says otherwise.
class TimedJobs {
 public:
  TimedJobs(Runnable& owner, Executor& executor, Mailbox& mailbox, TaskRunner& runner) noexcept;
  TimedJobs(const TimedJobs&) = delete;
  TimedJobs& operator=(const TimedJobs&) = delete;
  ~TimedJobs();

  /// From `due` on `task` is in the mailbox; kNever: it waits to be cancelled or dropped. False,
  /// and `task` is untouched, when closed. Throws std::bad_alloc, and `task` is untouched.
  [[nodiscard]] bool Add(TimePoint due, Task& task, JobId& id);

  /// True: the job will never run, and its task has been destroyed. False: it has run, or is
  /// running, or was dropped, or never was.
  bool Cancel(JobId id) noexcept;

  /// Puts what is due into the mailbox. True if anything was.
  [[nodiscard]] bool OnAlarm() noexcept;

  /// From now on nothing is added and nothing becomes due. The owner's alarm is not set any more.
  void Close() noexcept;

  /// After Close: gives what has not become due to the runner's DropTask. Threads: the mailbox's
  /// reader.
  void DropAll() noexcept;

  /// Jobs that are not due yet, and those that never will be.
  std::size_t Count() const noexcept;

  /// Jobs that were cancelled and are out of the mailbox too.
  std::uint64_t CancelledCount() const noexcept {
    return cancelled_.load(std::memory_order_relaxed);
  }

 private:
  class Job;

  Job& TakeJob();
  void FreeJob(Job& job) noexcept;
  bool TakeOut(Job& job, Task& task) noexcept;
  void UpdateAlarm() noexcept;
  void SetAlarm(TimePoint next) noexcept;
  void CountCancelled() noexcept { cancelled_.fetch_add(1, std::memory_order_relaxed); }

  Runnable& owner_;
  Executor& executor_;
  Mailbox& mailbox_;
  TaskRunner& runner_;
  std::atomic<std::uint64_t> cancelled_{0};

  mutable std::mutex mutex_;  // all below; the executor's may be taken under it
  TimerQueue timers_;
  std::vector<std::unique_ptr<Job>> jobs_;
  Job* free_ = nullptr;
  std::size_t never_count_ = 0;  // jobs that are armed for kNever, which no timer is; 0 once closed
  TimePoint alarm_ = kNever;     // what the executor was told last
  bool closed_ = false;
};

}  // namespace netcore
