// LogicPool: the threads that game logic runs on, apart from those that do I/O. Knows what it runs
// only as Runnables: job queues.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "netcore/base/clock.h"
#include "netcore/base/error.h"
#include "netcore/base/executor.h"
#include "netcore/base/log.h"

namespace netcore {

class LogicThreads;

struct LogicPoolOptions {
  /// How many jobs can run at once. 0: one for each hardware thread. One more thread keeps the
  /// time: it fires what is timed, also when all others are busy, and runs no job.
  std::size_t threads = 0;

  /// Where lines at or above `log_level` go; stderr if empty.
  LogSink log{};
  LogLevel log_level = LogLevel::kWarning;

  /// A job that runs for longer is told of in the log, by the name of its queue. With zero or
  /// kForever nothing looks at jobs. Start refuses a negative one.
  std::chrono::milliseconds job_time_limit{500};
};

///     auto pool = std::make_shared<LogicPool>();
///     const JobQueueRef room = JobQueue::Create(pool, {.name = "lobby"});
///     if (const Error error = pool->Start()) ...
///     room->Push([] { ... });
///     pool->Stop(StopMode::kDrain);
///
/// Owns: its threads. Lifetime: shared by its queues; its destructor is a Stop. std::exit inside a
/// job, or in the log sink, ends the process with its status; what waits is neither run nor
/// destroyed then. Threads: any.
class LogicPool final : public Executor {
 public:
  explicit LogicPool(LogicPoolOptions options = {});
  ~LogicPool() override;

  /// Starts the threads. Any number of times. Before it, what is pushed waits. After an error (of
  /// the options, or a thread that the system refused) the pool is stopped, and what waited was
  /// dropped.
  [[nodiscard]] Error Start();

  /// Closes all queues, waits until they are closed, and joins the threads. For good, and any
  /// number of times: a later kDrop cuts a drain short. A pool that was never started drops what
  /// waits. From inside a job it only begins: the threads end by themselves, and the destructor, or
  /// a Stop outside of jobs, joins them.
  void Stop(StopMode mode) noexcept;

  /// How many jobs can run at once; 0 before Start.
  std::size_t ThreadCount() const noexcept;

  TimePoint Now() const noexcept override;
  const std::shared_ptr<const Log>& GetLog() const noexcept override;
  [[nodiscard]] bool Join(Runnable& runnable) override;
  void Leave(Runnable& runnable) noexcept override;
  void Schedule(Runnable& runnable) noexcept override;
  void SetAlarm(Runnable& runnable, TimePoint deadline) noexcept override;

 private:
  // The last queue may let go of the pool on one of its threads, which then still needs this.
  const std::shared_ptr<LogicThreads> threads_;
};

}  // namespace netcore
