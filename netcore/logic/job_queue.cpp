// Pushing, running and closing.
#include "netcore/logic/job_queue.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "netcore/base/assert.h"
#include "netcore/base/exit_watch.h"
#include "netcore/base/log_format.h"

namespace netcore {
namespace {

thread_local const JobQueue* running_queue = nullptr;

class RunningScope {
 public:
  explicit RunningScope(const JobQueue& queue) noexcept {
    NETCORE_ASSERT(running_queue == nullptr);
    running_queue = &queue;
  }
  RunningScope(const RunningScope&) = delete;
  RunningScope& operator=(const RunningScope&) = delete;
  ~RunningScope() { running_queue = nullptr; }
};

// One writer at a time: no read-modify-write is needed.
void AddOne(std::atomic<std::uint64_t>& counter) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

JobQueueOptions WithLog(JobQueueOptions options, const Executor& executor) {
  if (options.log == nullptr) options.log = executor.GetLog();
  return options;
}

}  // namespace

/// A place in a queue, if there was one: given back unless the job is in.
class JobQueue::Place {
 public:
  explicit Place(JobQueue& queue) noexcept : queue_(queue) {
    const std::size_t limit = queue.options_.max_jobs;
    const std::uint64_t taken = queue.taken_.fetch_add(1, std::memory_order_relaxed);
    taken_ = limit == 0 || queue.CountWaiting(taken) < static_cast<std::int64_t>(limit);
    if (taken_) return;
    queue.taken_.fetch_sub(1, std::memory_order_relaxed);
    queue.refused_.fetch_add(1, std::memory_order_relaxed);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    if (taken_) queue_.taken_.fetch_sub(1, std::memory_order_relaxed);
  }

  explicit operator bool() const noexcept { return taken_; }
  void Keep() noexcept { taken_ = false; }

 private:
  JobQueue& queue_;
  bool taken_;
};

JobQueueRef JobQueue::Create(std::shared_ptr<Executor> executor, JobQueueOptions options) {
  NETCORE_ASSERT(executor != nullptr);
  JobQueueRef queue(new JobQueue(std::move(executor), std::move(options)));
  if (!queue->executor_->Join(*queue)) queue->Close(StopMode::kDrop);
  return queue;
}

JobQueue::JobQueue(std::shared_ptr<Executor> executor, JobQueueOptions options)
    : executor_(std::move(executor)),
      options_(WithLog(std::move(options), *executor_)),
      has_own_log_(options_.log != executor_->GetLog()),
      timed_(*this, *executor_, mailbox_, *this) {}

JobQueue::~JobQueue() {
  executor_->Leave(*this);
  mailbox_.Close();
}

PushResult JobQueue::Push(Task job) {
  if (GetState() != State::kOpen) return PushResult::kClosed;
  Place place(*this);
  if (!place) return PushResult::kFull;
  if (!mailbox_.Push(std::move(job))) return PushResult::kClosed;
  place.Keep();
  ScheduleOnce();
  return PushResult::kQueued;
}

TimedPush JobQueue::PushIn(Duration delay, Task job) {
  NETCORE_ASSERT(job);
  if (GetState() != State::kOpen) return {PushResult::kClosed};
  Place place(*this);
  if (!place) return {PushResult::kFull};
  TimedPush push;
  const TimePoint due = Later(executor_->Now(), std::max(delay, Duration::zero()));
  if (!timed_.Add(due, job, push.id)) return push;
  place.Keep();
  push.result = PushResult::kQueued;
  return push;
}

void JobQueue::ScheduleOnce() noexcept {
  if (scheduled_.load(std::memory_order_seq_cst)) return;
  if (!scheduled_.exchange(true, std::memory_order_seq_cst)) executor_->Schedule(*this);
}

// A job that runs on another thread meanwhile may make it negative.
std::int64_t JobQueue::CountWaiting(std::uint64_t taken) const noexcept {
  const std::uint64_t free_again = run_.load(std::memory_order_relaxed) +
                                   dropped_.load(std::memory_order_relaxed) +
                                   timed_.CancelledCount();
  return static_cast<std::int64_t>(taken - free_again);
}

bool JobQueue::RunStep(std::size_t most) noexcept {
  const RunningScope scope(*this);
  while (most > 0 && GetState() < State::kDropping) {
    const std::size_t ran = mailbox_.Deliver(most);
    if (ran == 0) break;
    most -= ran;
  }
  if (GetState() != State::kOpen) return !FinishClose();
  if (mailbox_.HasMail()) return true;
  scheduled_.store(false, std::memory_order_seq_cst);
  // From here on the next step may be under way.
  return (mailbox_.HasUnread() || GetState() != State::kOpen) &&
         !scheduled_.exchange(true, std::memory_order_seq_cst);
}

void JobQueue::RunTask(Task& task) noexcept {
  if (GetState() == State::kDropping) return DropTask(task);
  AddOne(run_);
  try {
    task();
    return;
  } catch (const std::exception& error) {
    LogThrown(": ", error.what());
  } catch (...) {
    LogThrown("", "");
  }
  AddOne(thrown_);
}

void JobQueue::LogThrown(std::string_view separator, std::string_view what) noexcept {
  LogLimit& limit = has_own_log_ ? own_throw_log_limit_ : executor_->ThrowLogLimit();
  WriteLogLimited(*options_.log, LogLevel::kError, limit, executor_->Now(),
                  "job queue {}: a job threw{}{}", Name(), separator, what);
}

void JobQueue::DropTask(Task& task) noexcept {
  task = Task();
  dropped_.fetch_add(1, std::memory_order_relaxed);
}

void JobQueue::OnAlarm() noexcept {
  if (timed_.OnAlarm()) ScheduleOnce();
}

void JobQueue::Close(StopMode mode) noexcept {
  timed_.Close();
  const State wanted = mode == StopMode::kDrain ? State::kDraining : State::kDropping;
  State state = GetState();
  while (state < wanted &&
         !state_.compare_exchange_weak(state, wanted, std::memory_order_seq_cst)) {
  }
  // If a step is to come, it sees this at its end. If not, nobody reads, and this thread may.
  if (scheduled_.exchange(true, std::memory_order_seq_cst)) return;
  if (!FinishClose()) executor_->Schedule(*this);
}

// For the mailbox's reader. False when jobs are to be run first.
bool JobQueue::FinishClose() noexcept {
  if (GetState() == State::kDropping) {
    mailbox_.Close();
  } else if (!mailbox_.CloseIfEmpty()) {
    return false;
  }
  timed_.DropAll();
  {
    const std::lock_guard lock(closed_mutex_);
    state_.store(State::kClosed, std::memory_order_seq_cst);
    closed_.notify_all();
  }
  // Last: where nobody is left in the executor, whoever waits for its stop takes this as closed.
  executor_->Leave(*this);
  return true;
}

void JobQueue::WaitClosed() {
  if (ExitWatch::IsExiting()) return;
  NETCORE_ASSERT(running_queue == nullptr);
  while (!IsClosed() && executor_->RunOther()) {
  }
  std::unique_lock lock(closed_mutex_);
  closed_.wait(lock, [this] { return IsClosed(); });
}

bool JobQueue::IsRunningHere() const noexcept { return running_queue == this; }

JobQueueStats JobQueue::Stats() const noexcept {
  JobQueueStats stats;
  stats.run = run_.load(std::memory_order_relaxed);
  stats.thrown = thrown_.load(std::memory_order_relaxed);
  stats.refused = refused_.load(std::memory_order_relaxed);
  stats.dropped = dropped_.load(std::memory_order_relaxed);
  stats.cancelled = timed_.CancelledCount();
  stats.timed = timed_.Count();
  const std::uint64_t over = stats.run + stats.dropped + stats.cancelled;
  stats.pushed = std::max(over, taken_.load(std::memory_order_relaxed));
  stats.waiting = static_cast<std::size_t>(stats.pushed - over);
  return stats;
}

}  // namespace netcore
