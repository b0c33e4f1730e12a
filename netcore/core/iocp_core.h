// IocpCore: the completion ports of a program and the threads that serve them. Knows no session and
// no service: event -> owner -> Dispatch.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "netcore/base/error.h"
#include "netcore/base/log.h"
#include "netcore/core/worker_set.h"
#include "netcore/port/port_factory.h"

namespace netcore {

class Watchdog;

struct CoreOptions {
  /// How many workers, each a port and a thread: 1,024 at most. 0: one for each hardware thread.
  std::size_t threads = 0;

  /// An explicit backend beats NETCORE_BACKEND (auto, iocp, io_uring, epoll), which beats the best
  /// that works here. The best is chosen for all workers together: where the system refuses
  /// io_uring to one of them, epoll serves all, and a warning says why (a line at info level where
  /// the system has no io_uring, or does not permit it). A backend that is named, here or in
  /// NETCORE_BACKEND, and refused is an error of Open.
  Backend backend = Backend::kAuto;

  /// Where lines at or above `log_level` go; stderr if empty.
  LogSink log{};
  LogLevel log_level = LogLevel::kWarning;

  /// A hook that runs for longer is named in the log, for it holds up its worker. With zero or
  /// kForever nothing looks at hooks, and no thread is made for it. Open refuses a negative one.
  std::chrono::milliseconds hook_time_limit{500};

  /// Ports of another kind, such as simulated ones. Beats `backend`.
  std::shared_ptr<PortFactory> port_factory{};
};

/// Two ways to give it threads: call Dispatch in a loop from your own, or call Run for its own.
///
/// Owns: the workers and, after Run, their threads. Lifetime: shared by all services and connectors
/// that use it; its destructor is a Stop. Threads: any, but for what says otherwise.
///
/// std::exit inside a hook, a task, a session factory or a log sink ends the process with its
/// status. No session is ended before (OnDisconnected does not come), and the destructors and Stop
/// of cores, services, connectors and logic pools do nothing then on the thread that called it.
/// Other threads go on until the process is gone, as they do in any program: code of theirs must
/// not need objects that std::exit destroys.
class IocpCore {
 public:
  IocpCore();
  explicit IocpCore(CoreOptions options);
  IocpCore(const IocpCore&) = delete;
  IocpCore& operator=(const IocpCore&) = delete;
  ~IocpCore();

  /// Chooses the backend and makes the ports, so that what the system refuses is known here. Any
  /// number of times; the services' Start and Run call it. After an error nothing is left open, and
  /// another call tries again. kInvalidArgument: the message names the option that has no meaning.
  [[nodiscard]] Error Open();

  /// Chooses the backend only, so that a listener can bind before anything else is made. Any number
  /// of times.
  [[nodiscard]] Error OpenFactory(std::shared_ptr<PortFactory>& factory);

  /// Opens, and starts one thread a worker. Any number of times. After an error no thread is left;
  /// if it was a thread that the system refused, or memory for one, the core is stopped.
  [[nodiscard]] Error Run();

  /// Ends the sessions that are still there (kServiceStopping, with a reset), makes Dispatch return
  /// kStopped, and joins the threads of Run. For good: a stopped core does not open again. From
  /// inside a hook it only begins: the threads end by themselves, and the destructor joins them.
  void Stop() noexcept;

  /// Handles what is ready, and waits for it up to `timeout`: not at all if that is zero or
  /// negative, for ever if it is kForever. The first call takes a free worker
  /// for the calling thread, which keeps it until the core stops or the thread ends; more threads
  /// than workers wait their turn. A thread that ends before the core was stopped ends its worker's
  /// sessions. Not from inside a hook. Returns kStopped after Stop, and when the core could not be
  /// opened (the log says why). On io_uring, a blocking call of that thread may fail with EINTR
  /// when the core is destroyed: the kernel interrupts who has used a ring.
  DispatchStatus Dispatch(std::chrono::milliseconds timeout = kForever);

  /// "iocp", "io_uring", "epoll", "memory"; empty before Open.
  std::string_view BackendName() const;

  /// How many workers there are; 0 before Open.
  std::size_t WorkerCount() const;

  /// What services and connectors put their sessions on; null before Open.
  std::shared_ptr<WorkerSet> Workers() const;

  const std::shared_ptr<const Log>& GetLog() const noexcept { return log_; }

 private:
  Error OpenFactoryLocked();
  Error OpenLocked();
  Error MakeWorkersLocked(std::size_t count, std::shared_ptr<WorkerSet>& workers);
  void JoinThreads() noexcept;
  void LeaveAll() noexcept;

  const CoreOptions options_;
  const std::shared_ptr<const Log> log_;

  mutable std::mutex mutex_;  // never held while a worker runs
  std::shared_ptr<PortFactory> factory_;
  std::shared_ptr<WorkerSet> workers_;       // once made, never another
  std::atomic<WorkerSet*> opened_{nullptr};  // the same, for Dispatch, which takes no lock
  std::unique_ptr<Watchdog> watchdog_;
  std::vector<std::thread> threads_;
  bool stopped_ = false;
};

}  // namespace netcore
