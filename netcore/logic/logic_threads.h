// LogicThreads: what the threads of a LogicPool share: the book, who sleeps, and the end.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "netcore/base/clock.h"
#include "netcore/base/error.h"
#include "netcore/base/executor.h"
#include "netcore/base/log.h"
#include "netcore/logic/executor_book.h"
#include "netcore/logic/job_watch.h"
#include "netcore/logic/logic_pool.h"

namespace netcore {

/// A thread takes the first one that is ready, runs a step of it, and puts it behind the others if
/// it has more. Of the threads that sleep one at a time is woken; one that finds more than it takes
/// wakes the next. They end when the pool is stopping and nobody is joined any more.
///
/// Owns: the threads, until they are joined. Lifetime: shared by its pool and its threads. Threads:
/// any.
class LogicThreads : public std::enable_shared_from_this<LogicThreads> {
 public:
  explicit LogicThreads(LogicPoolOptions options);
  LogicThreads(const LogicThreads&) = delete;
  LogicThreads& operator=(const LogicThreads&) = delete;
  ~LogicThreads() = default;

  /// As LogicPool's.
  [[nodiscard]] Error Start();
  void Stop(StopMode mode) noexcept;
  std::size_t ThreadCount() const noexcept;
  static TimePoint Now() noexcept;
  const std::shared_ptr<const Log>& GetLog() const noexcept { return log_; }
  [[nodiscard]] bool Join(Runnable& runnable);
  void Leave(Runnable& runnable) noexcept;
  void Schedule(Runnable& runnable) noexcept;
  void SetAlarm(Runnable& runnable, TimePoint deadline) noexcept;

  /// After Stop. Joins the threads, but for the calling one, should it be one of them; then, where
  /// somebody is still joined, none.
  void JoinAll() noexcept;

 private:
  bool IsInside() const noexcept;
  Error StartThreads();
  template <typename Work>
  void StartThread(Work work);
  void TellAll() noexcept;

  void Serve(std::size_t index) noexcept;
  std::shared_ptr<Runnable> Next(std::size_t index, std::shared_ptr<Runnable> done,
                                 bool again) noexcept;
  bool TakeWake() noexcept;
  void KeepTime() noexcept;
  void Look(std::unique_lock<std::mutex>& lock, TimePoint now) noexcept;
  void CountOut() noexcept;

  bool IsOver() const noexcept { return book_.IsStopping() && book_.IsEmpty(); }
  void WakeAll() noexcept;

  const LogicPoolOptions options_;
  const std::shared_ptr<const Log> log_;
  const std::size_t wanted_;

  mutable std::mutex mutex_;  // all below; a leaf: nothing that runs here is called under it
  std::condition_variable ready_;
  std::condition_variable alarm_;
  std::condition_variable ended_;
  ExecutorBook book_;
  std::vector<const Runnable*> running_;  // one a thread; null while it runs nothing
  JobWatch watch_;
  std::size_t sleeping_ = 0;
  bool waking_ = false;         // somebody who sleeps was notified, and is not up yet
  TimePoint wake_at_ = kNever;  // when the one that keeps the time looks next
  std::size_t serving_ = 0;     // threads that were started to run jobs
  std::size_t live_ = 0;        // threads that have not ended
  bool started_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace netcore
