// What a logic thread does, when it sleeps, and how all of them end.
#include "netcore/logic/logic_threads.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <system_error>
#include <utility>

#include "netcore/base/assert.h"
#include "netcore/base/duration_check.h"
#include "netcore/base/exit_watch.h"
#include "netcore/base/log_format.h"
#include "netcore/base/timed_wait.h"

namespace netcore {
namespace {

// More is a mistake in a configuration file, not a machine.
constexpr std::size_t kMaxLogicThreads = 1024;

// Jobs of one queue before the next queue has its turn.
constexpr std::size_t kBatch = 32;

thread_local const LogicThreads* inside_of = nullptr;

class InsideScope {
 public:
  explicit InsideScope(const LogicThreads& threads) noexcept
      : outer_(std::exchange(inside_of, &threads)) {}
  InsideScope(const InsideScope&) = delete;
  InsideScope& operator=(const InsideScope&) = delete;
  ~InsideScope() { inside_of = outer_; }

 private:
  const LogicThreads* const outer_;
};

std::size_t CountThreads(std::size_t wanted) {
  return wanted != 0 ? wanted : std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

LogicThreads::LogicThreads(LogicPoolOptions options)
    : options_(std::move(options)),
      log_(std::make_shared<const Log>(options_.log, options_.log_level)),
      wanted_(CountThreads(options_.threads)),
      running_(std::min(wanted_, kMaxLogicThreads)),
      watch_(ToDuration(options_.job_time_limit), running_.size()) {}

TimePoint LogicThreads::Now() noexcept { return std::chrono::steady_clock::now(); }

bool LogicThreads::IsInside() const noexcept { return inside_of == this; }

std::size_t LogicThreads::ThreadCount() const noexcept {
  const std::lock_guard lock(mutex_);
  return serving_;
}

Error LogicThreads::Start() {
  const Error error = StartThreads();
  if (error && error.Code() != ErrorCode::kStopped) Stop(StopMode::kDrop);
  return error;
}

// The new threads wait for the lock.
Error LogicThreads::StartThreads() {
  const std::lock_guard lock(mutex_);
  if (book_.IsStopping()) return Error(ErrorCode::kStopped, 0, "start a logic pool");
  if (std::exchange(started_, true)) return {};
  if (const Error error =
          CheckDurations("logic pool", {{"job_time_limit", options_.job_time_limit}})) {
    return error;
  }
  if (wanted_ > kMaxLogicThreads) {
    return Error(ErrorCode::kInvalidArgument, 0,
                 fmt::format("{} logic threads, more than {}", wanted_, kMaxLogicThreads));
  }
  try {
    threads_.reserve(wanted_ + 1);
    for (std::size_t index = 0; index < wanted_; ++index) {
      StartThread([this, index] { Serve(index); });
      ++serving_;
    }
    StartThread([this] { KeepTime(); });
  } catch (const std::system_error& error) {
    return Error(ErrorCode::kNoBuffers, error.code().value(), "start a logic thread");
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kNoBuffers);
  }
  return {};
}

template <typename Work>
void LogicThreads::StartThread(Work work) {
  threads_.emplace_back([self = shared_from_this(), work] {
    const ExitWatch watch;
    const InsideScope scope(*self);
    work();
    self->CountOut();
  });
  ++live_;
}

void LogicThreads::CountOut() noexcept {
  const std::lock_guard lock(mutex_);
  if (--live_ == 0) ended_.notify_all();
}

void LogicThreads::Stop(StopMode mode) noexcept {
  bool unserved = false;
  {
    const std::lock_guard lock(mutex_);
    unserved = serving_ == 0;
    book_.BeginStop(unserved ? StopMode::kDrop : mode);
    if (IsOver()) WakeAll();
  }
  TellAll();
  if (IsInside()) return;
  if (unserved) {
    const ExitWatch watch;
    const InsideScope scope(*this);
    Serve(0);
  }
  JoinAll();
}

void LogicThreads::TellAll() noexcept {
  for (;;) {
    StopMode mode;
    std::shared_ptr<Runnable> runnable;
    {
      const std::lock_guard lock(mutex_);
      runnable = book_.TakeToStop(mode);
    }
    if (runnable == nullptr) return;
    runnable->OnStop(mode);
  }
}

void LogicThreads::JoinAll() noexcept {
  std::vector<std::thread> threads;
  bool leave = false;
  {
    std::unique_lock lock(mutex_);
    leave = IsInside() && !IsOver();  // the job that we are in keeps the others from their end
    if (!IsInside()) ended_.wait(lock, [this] { return live_ == 0; });
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) {
    if (leave || thread.get_id() == std::this_thread::get_id()) {
      thread.detach();
    } else {
      thread.join();
    }
  }
}

bool LogicThreads::Join(Runnable& runnable) {
  const std::lock_guard lock(mutex_);
  return book_.Join(runnable);
}

void LogicThreads::Leave(Runnable& runnable) noexcept {
  const std::lock_guard lock(mutex_);
  book_.Leave(runnable);
  if (IsOver()) WakeAll();
}

void LogicThreads::WakeAll() noexcept {
  ready_.notify_all();
  alarm_.notify_all();
}

void LogicThreads::Schedule(Runnable& runnable) noexcept {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    book_.AddReady(runnable);
    wake = TakeWake();
  }
  if (wake) ready_.notify_one();
}

// True: the caller wakes one of those who sleep. Not needed when one of them is waking up already.
bool LogicThreads::TakeWake() noexcept {
  return book_.ReadyCount() > 0 && sleeping_ > 0 && !std::exchange(waking_, true);
}

void LogicThreads::Serve(std::size_t index) noexcept {
  std::shared_ptr<Runnable> runnable;
  bool again = false;
  while ((runnable = Next(index, std::move(runnable), again)) != nullptr) {
    again = runnable->RunStep(kBatch);
  }
}

// Null when all is over. `done` is let go of without the lock: its end may need it.
std::shared_ptr<Runnable> LogicThreads::Next(std::size_t index, std::shared_ptr<Runnable> done,
                                             bool again) noexcept {
  std::unique_lock lock(mutex_);
  running_[index] = nullptr;
  if (again) book_.AddReady(*done);
  if (book_.ReadyCount() == 0) {
    lock.unlock();
    done.reset();
    lock.lock();
  }
  while (book_.ReadyCount() == 0) {
    if (IsOver()) return nullptr;
    ++sleeping_;
    ready_.wait(lock);
    --sleeping_;
    waking_ = false;
  }
  std::shared_ptr<Runnable> next = book_.TakeReady();
  running_[index] = next.get();
  const bool wake = TakeWake();
  lock.unlock();
  if (wake) ready_.notify_one();
  return next;
}

void LogicThreads::SetAlarm(Runnable& runnable, TimePoint deadline) noexcept {
  std::shared_ptr<Runnable> released;
  const std::lock_guard lock(mutex_);
  released = book_.SetAlarm(runnable, deadline);
  if (deadline >= wake_at_) return;
  wake_at_ = deadline;
  alarm_.notify_one();
}

void LogicThreads::KeepTime() noexcept {
  std::unique_lock lock(mutex_);
  for (;;) {
    const TimePoint now = Now();
    if (std::shared_ptr<Runnable> due = book_.TakeDue(now)) {
      lock.unlock();
      due->OnAlarm();
      due.reset();
      lock.lock();
      continue;
    }
    if (IsOver()) return;
    if (watch_.NextLook() <= now) {
      Look(lock, now);
      continue;
    }
    wake_at_ = std::min(book_.NextAlarm(), watch_.NextLook());
    WaitUntil(alarm_, lock, wake_at_);
  }
}

void LogicThreads::Look(std::unique_lock<std::mutex>& lock, TimePoint now) noexcept {
  watch_.Looked(now);
  for (std::size_t index = 0; index < running_.size(); ++index) {
    try {
      const std::string line = watch_.Look(index, running_[index], now);
      if (line.empty()) continue;
      lock.unlock();
      log_->Write(LogLevel::kWarning, line);
      lock.lock();
    } catch (const std::exception&) {  // without memory for the line
    }
  }
}

}  // namespace netcore
