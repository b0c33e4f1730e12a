// Timed jobs on their way from a timer to the mailbox.
#include "netcore/logic/timed_jobs.h"

#include <utility>

#include "netcore/base/assert.h"

namespace netcore {

/// Used for one job after another. Threads: under the mutex; in the mailbox it is the reader's.
class TimedJobs::Job final : public Timer, public Mail {
 public:
  enum class State : std::uint8_t { kFree, kArmed, kDue, kCancelled };

  Job(TimedJobs& jobs, std::uint32_t index) noexcept : jobs_(jobs), index_(index) {}

  std::uint32_t Index() const noexcept { return index_; }

  State state = State::kFree;
  Task task;
  std::uint32_t generation = 1;
  Job* next_free = nullptr;

 private:
  // Under the mutex, inside OnAlarm.
  void OnTimer(TimePoint) noexcept override {
    state = State::kDue;
    const bool pushed = jobs_.mailbox_.Push(*this);
    NETCORE_ASSERT(pushed);  // a queue closes its timed jobs before its mailbox
  }

  // The job may serve for another one as soon as it is taken out.
  void Deliver() noexcept override {
    TimedJobs& jobs = jobs_;
    Task taken;
    if (jobs.TakeOut(*this, taken)) jobs.runner_.RunTask(taken);
  }
  void Discard() noexcept override {
    TimedJobs& jobs = jobs_;
    Task taken;
    if (jobs.TakeOut(*this, taken)) jobs.runner_.DropTask(taken);
  }

  TimedJobs& jobs_;
  const std::uint32_t index_;
};

TimedJobs::TimedJobs(Runnable& owner, Executor& executor, Mailbox& mailbox,
                     TaskRunner& runner) noexcept
    : owner_(owner), executor_(executor), mailbox_(mailbox), runner_(runner) {}

TimedJobs::~TimedJobs() = default;

bool TimedJobs::Add(TimePoint due, Task& task, JobId& id) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  Job& job = TakeJob();
  timers_.Arm(job, due);  // TakeJob has made room
  if (due == kNever) ++never_count_;
  job.state = Job::State::kArmed;
  job.task = std::move(task);
  id = JobId(job.Index(), job.generation);
  UpdateAlarm();
  return true;
}

bool TimedJobs::Cancel(JobId id) noexcept {
  Task cancelled;  // destroyed after the lock
  const std::lock_guard lock(mutex_);
  if (!id || id.index_ >= jobs_.size()) return false;
  Job& job = *jobs_[id.index_];
  if (job.generation != id.generation_) return false;
  if (job.state == Job::State::kArmed) {
    cancelled = std::move(job.task);
    if (!closed_ && !job.IsArmed()) --never_count_;
    timers_.Cancel(job);
    FreeJob(job);
    CountCancelled();
    UpdateAlarm();
    return true;
  }
  if (job.state != Job::State::kDue) return false;
  cancelled = std::move(job.task);
  job.state = Job::State::kCancelled;
  return true;
}

bool TimedJobs::OnAlarm() noexcept {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  const std::size_t fired = timers_.FireDue(executor_.Now());
  // Told in any case: the alarm that rang may have been set anew before this heard of it.
  SetAlarm(timers_.NextDeadline());
  return fired > 0;
}

void TimedJobs::Close() noexcept {
  const std::lock_guard lock(mutex_);
  if (std::exchange(closed_, true)) return;
  for (const std::unique_ptr<Job>& job : jobs_) timers_.Cancel(*job);
  never_count_ = 0;
  UpdateAlarm();
}

void TimedJobs::DropAll() noexcept {
  for (std::size_t index = 0;; ++index) {
    Task dropped;
    {
      const std::lock_guard lock(mutex_);
      NETCORE_ASSERT(closed_);
      if (index >= jobs_.size()) return;
      Job& job = *jobs_[index];
      if (job.state != Job::State::kArmed) continue;
      dropped = std::move(job.task);
      FreeJob(job);
    }
    runner_.DropTask(dropped);
  }
}

std::size_t TimedJobs::Count() const noexcept {
  const std::lock_guard lock(mutex_);
  return timers_.Count() + never_count_;
}

TimedJobs::Job& TimedJobs::TakeJob() {
  timers_.Reserve(timers_.Count() + 1);
  if (free_ == nullptr) {
    NETCORE_ASSERT(jobs_.size() < UINT32_MAX);
    jobs_.push_back(std::make_unique<Job>(*this, static_cast<std::uint32_t>(jobs_.size())));
    return *jobs_.back();
  }
  return *std::exchange(free_, free_->next_free);
}

// Whoever still has its id finds nothing from now on.
void TimedJobs::FreeJob(Job& job) noexcept {
  job.state = Job::State::kFree;
  if (++job.generation == 0) job.generation = 1;
  job.next_free = std::exchange(free_, &job);
}

// What comes out of the mailbox. False: it was cancelled.
bool TimedJobs::TakeOut(Job& job, Task& task) noexcept {
  const std::lock_guard lock(mutex_);
  const bool cancelled = job.state == Job::State::kCancelled;
  if (cancelled) CountCancelled();
  task = std::move(job.task);
  FreeJob(job);
  return !cancelled;
}

void TimedJobs::UpdateAlarm() noexcept {
  const TimePoint next = timers_.NextDeadline();
  if (next != alarm_) SetAlarm(next);
}

// Under the mutex also the executor's: of two that tell it something, the last one is right.
void TimedJobs::SetAlarm(TimePoint next) noexcept {
  alarm_ = next;
  executor_.SetAlarm(owner_, next);
}

}  // namespace netcore
