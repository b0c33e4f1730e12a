// Opening, running and stopping the workers.
#include "netcore/core/iocp_core.h"

#include <algorithm>
#include <new>
#include <system_error>
#include <utility>

#include "netcore/base/clock.h"
#include "netcore/base/duration_check.h"
#include "netcore/base/exit_watch.h"
#include "netcore/base/log_delay.h"
#include "netcore/base/log_format.h"
#include "netcore/core/watchdog.h"

namespace netcore {
namespace {

// More is a mistake in a configuration file, not a machine.
constexpr std::size_t kMaxWorkers = 1024;

}  // namespace

IocpCore::IocpCore() : IocpCore(CoreOptions{}) {}

IocpCore::IocpCore(CoreOptions options)
    : options_(std::move(options)),
      log_(std::make_shared<const Log>(options_.log, options_.log_level)) {}

IocpCore::~IocpCore() {
  if (ExitWatch::IsExiting()) {
    LeaveAll();
    return;
  }
  Stop();
  JoinThreads();
}

// The threads go on until the process is gone, with all that they need. No lock: this very thread
// may hold it.
void IocpCore::LeaveAll() noexcept {
  for (std::thread& thread : threads_) thread.detach();
  ExitWatch::Keep(std::move(workers_));
  ExitWatch::Keep(std::shared_ptr<Watchdog>(std::move(watchdog_)));
}

Error IocpCore::Open() {
  const LogDelay delay;
  const std::lock_guard lock(mutex_);
  return OpenLocked();
}

Error IocpCore::OpenFactory(std::shared_ptr<PortFactory>& factory) {
  const LogDelay delay;
  const std::lock_guard lock(mutex_);
  if (const Error error = OpenFactoryLocked()) return error;
  factory = factory_;
  return {};
}

Error IocpCore::OpenFactoryLocked() {
  if (stopped_) return Error(ErrorCode::kStopped, 0, "open the core");
  if (factory_ != nullptr) return {};
  if (const Error error = CheckDurations("core", {{"hook_time_limit", options_.hook_time_limit}})) {
    return error;
  }
  if (options_.port_factory != nullptr) {
    factory_ = options_.port_factory;
    return {};
  }
  std::unique_ptr<PortFactory> factory;
  if (const Error error = MakePortFactory(options_.backend, log_, factory)) return error;
  factory_ = std::move(factory);
  return {};
}

Error IocpCore::OpenLocked() {
  if (const Error error = OpenFactoryLocked()) return error;
  if (workers_ != nullptr) return {};
  std::size_t count = options_.threads;
  if (count == 0) count = std::max(1U, std::thread::hardware_concurrency());
  if (count > kMaxWorkers) {
    return Error(
        ErrorCode::kInvalidArgument, 0,
        fmt::format("core option threads is {}, and must be at most {}", count, kMaxWorkers));
  }
  std::shared_ptr<WorkerSet> workers;
  if (const Error error = MakeWorkersLocked(count, workers)) return error;
  const Duration limit = ToDuration(options_.hook_time_limit);
  if (limit > Duration::zero() && limit < Duration::max()) {
    try {
      watchdog_ = std::make_unique<Watchdog>(workers, limit);
    } catch (const std::system_error& error) {
      WriteLog(*log_, LogLevel::kWarning, "no watchdog: {}", error.what());
    }
  }
  workers_ = std::move(workers);
  opened_.store(workers_.get(), std::memory_order_release);
  return {};
}

// All workers have ports of one kind: what a service was told of its backend holds for all of them.
Error IocpCore::MakeWorkersLocked(std::size_t count, std::shared_ptr<WorkerSet>& workers) {
  workers = std::make_shared<WorkerSet>(factory_, log_);
  const Error refused = workers->Make(count);
  if (!refused) return {};
  std::shared_ptr<PortFactory> fallback = factory_->Fallback();
  if (fallback == nullptr) return refused;
  WriteLog(*log_, LogLevel::kWarning, "backend {} refused ({}), using {} for all workers",
           factory_->Name(), refused, fallback->Name());
  factory_ = std::move(fallback);
  workers = std::make_shared<WorkerSet>(factory_, log_);
  return workers->Make(count);
}

Error IocpCore::Run() {
  const LogDelay delay;
  const std::lock_guard lock(mutex_);
  if (const Error error = OpenLocked()) return error;
  if (!threads_.empty()) return {};
  int system_code = 0;
  try {
    threads_.reserve(workers_->Count());
    while (threads_.size() < workers_->Count()) {
      threads_.emplace_back([workers = workers_] { workers->DispatchUntilStopped(); });
    }
    return {};
  } catch (const std::system_error& error) {
    system_code = error.code().value();
  } catch (const std::bad_alloc&) {
  }
  stopped_ = true;
  workers_->Stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  watchdog_.reset();
  return Error(ErrorCode::kNoBuffers, system_code, "start a thread");
}

void IocpCore::Stop() noexcept {
  if (ExitWatch::IsExiting()) return;
  std::shared_ptr<WorkerSet> workers;
  std::unique_ptr<Watchdog> watchdog;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    workers = workers_;
    watchdog = std::move(watchdog_);
  }
  if (workers != nullptr) workers->Stop();
  if (Worker::Current() == nullptr) JoinThreads();
}

void IocpCore::JoinThreads() noexcept {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) {
    // The last reference may be let go in a hook: that thread can't wait for itself, and needs
    // nothing of ours.
    if (thread.get_id() == std::this_thread::get_id()) {
      thread.detach();
    } else {
      thread.join();
    }
  }
}

DispatchStatus IocpCore::Dispatch(std::chrono::milliseconds timeout) {
  WorkerSet* workers = opened_.load(std::memory_order_acquire);
  if (workers == nullptr) {
    if (const Error error = Open()) {
      WriteLog(*log_, LogLevel::kError, "{}", error.Message());
      return DispatchStatus::kStopped;
    }
    workers = opened_.load(std::memory_order_acquire);
  }
  return workers->Dispatch(timeout);
}

std::string_view IocpCore::BackendName() const {
  const auto workers = Workers();
  return workers == nullptr ? std::string_view() : workers->Factory().Name();
}

std::size_t IocpCore::WorkerCount() const {
  const auto workers = Workers();
  return workers == nullptr ? 0 : workers->Count();
}

std::shared_ptr<WorkerSet> IocpCore::Workers() const {
  const std::lock_guard lock(mutex_);
  return workers_;
}

}  // namespace netcore
