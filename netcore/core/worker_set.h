// WorkerSet: the workers of one IocpCore, which thread holds which, and where the next session
// goes.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "netcore/base/clock.h"
#include "netcore/base/log.h"
#include "netcore/core/worker.h"
#include "netcore/port/port_factory.h"

namespace netcore {

enum class DispatchStatus { kHandled, kTimedOut, kStopped };

/// Whoever runs all workers of a set from one thread, in an order of its own: a simulation.
class WorkerDriver {
 public:
  /// Stands in for WorkerSet::Dispatch.
  virtual DispatchStatus Dispatch(std::chrono::milliseconds timeout) = 0;

 protected:
  ~WorkerDriver() = default;
};

///     free -> held by a thread -> closed (the core stopped, or the thread ended)
///
/// A worker stays with the thread that took it: a ring belongs to its thread, and Windows may
/// cancel what a thread started when it ends. So a thread that ends takes its worker's sessions
/// with it, in order, and says so in the log.
///
/// Owns: the workers. Lifetime: shared by the IocpCore, the threads that hold a worker, and what
/// lives on the workers. Threads: any.
class WorkerSet : public std::enable_shared_from_this<WorkerSet> {
 public:
  WorkerSet(std::shared_ptr<PortFactory> factory, std::shared_ptr<const Log> log);
  WorkerSet(const WorkerSet&) = delete;
  WorkerSet& operator=(const WorkerSet&) = delete;
  ~WorkerSet();

  /// Makes `count` workers, once. Nothing is left of them after an error.
  [[nodiscard]] Error Make(std::size_t count);

  /// As IocpCore::Dispatch.
  DispatchStatus Dispatch(std::chrono::milliseconds timeout);

  /// Dispatch until it says kStopped, for a thread that does nothing else: without looking each
  /// time which worker it has.
  void DispatchUntilStopped();

  /// Gives all workers, once and before any thread took one, to `driver`, which lives until
  /// RunRound has said kStopped for each of them. From then on all is done on the calling thread.
  [[nodiscard]] Error DriveBy(WorkerDriver& driver);

  /// For the driver: one round of a worker, without waiting. When the set stops: ends the worker
  /// and returns kStopped; not again for that worker.
  DispatchStatus RunRound(std::size_t index);

  /// True if the calling thread holds a worker here, so that nobody else runs that worker's
  /// sessions.
  bool IsHolder() const noexcept;

  /// From now on Dispatch ends what lives on its worker and returns kStopped. Outside a hook it
  /// does so at once for the calling thread's own worker. Any number of times.
  void Stop() noexcept;

  std::size_t Count() const noexcept { return workers_.size(); }
  Worker& At(std::size_t index) noexcept { return *workers_[index]; }
  PortFactory& Factory() noexcept { return *factory_; }
  const std::shared_ptr<const Log>& GetLog() const noexcept { return log_; }

  /// A seat for a new session: of the workers that a thread holds, on the one with the fewest.
  /// While none is held: on the first free one, which the next thread will take.
  Worker::Seat Pick() noexcept;

 private:
  enum class Hold { kFree, kHeld, kClosed };

  class Claim;        // a thread's hold on a worker
  class Claims;       // all that a thread holds; lets go when it ends
  class ClaimsTable;  // what all threads hold

  void DropClaim() noexcept;
  Worker* FindClaim() const noexcept;

  void RingAll() noexcept;
  Worker* Take(TimePoint give_up, DispatchStatus& status);
  void Release(Worker& worker) noexcept;
  void CloseWorker(Worker& worker) noexcept;

  const std::shared_ptr<PortFactory> factory_;
  const std::shared_ptr<const Log> log_;
  std::vector<std::unique_ptr<Worker>> workers_;  // fixed once made

  mutable std::mutex mutex_;  // never held while a worker runs
  std::condition_variable changed_;
  std::unique_ptr<std::atomic<Hold>[]> holds_;  // written under mutex_
  std::atomic<bool> stopping_{false};           // written under mutex_
  WorkerDriver* driver_ = nullptr;              // while it runs some worker
  std::size_t driven_count_ = 0;
};

}  // namespace netcore
