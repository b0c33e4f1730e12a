// Threads take workers, run them, and let go of them.
#include "netcore/core/worker_set.h"

#include <algorithm>
#include <thread>
#include <unordered_map>
#include <utility>

#include "netcore/base/assert.h"
#include "netcore/base/exit_watch.h"
#include "netcore/base/log_format.h"
#include "netcore/base/timed_wait.h"

namespace netcore {

class WorkerSet::Claim {
 public:
  Claim(std::shared_ptr<WorkerSet> set, Worker& worker) noexcept
      : set_(std::move(set)), worker_(&worker) {}
  Claim(Claim&&) noexcept = default;
  Claim& operator=(Claim&&) noexcept = default;
  ~Claim() {
    if (set_ != nullptr) set_->Release(*worker_);
  }

  const WorkerSet* Set() const noexcept { return set_.get(); }
  Worker& GetWorker() const noexcept { return *worker_; }

 private:
  std::shared_ptr<WorkerSet> set_;
  Worker* worker_;
};

class WorkerSet::Claims {
 public:
  Worker* Find(const WorkerSet& set) const noexcept {
    const auto found = std::find_if(claims_.begin(), claims_.end(),
                                    [&](const Claim& claim) { return claim.Set() == &set; });
    return found == claims_.end() ? nullptr : &found->GetWorker();
  }

  bool IsAnyInUse() const noexcept {
    return std::any_of(claims_.begin(), claims_.end(),
                       [](const Claim& claim) { return claim.GetWorker().IsInUse(); });
  }

  // Before a worker is taken, so that Add can't fail.
  void MakeRoom() { claims_.reserve(claims_.size() + 1); }

  void Add(Claim claim) noexcept { claims_.push_back(std::move(claim)); }

  void Drop(const WorkerSet& set) noexcept {
    const auto found = std::find_if(claims_.begin(), claims_.end(),
                                    [&](const Claim& claim) { return claim.Set() == &set; });
    if (found == claims_.end()) return;
    const Claim dropped = std::exchange(*found, std::move(claims_.back()));
    claims_.pop_back();
  }

 private:
  std::vector<Claim> claims_;
};

// Not in a thread_local object: MinGW frees a thread's storage before it runs the destructors of
// what is in it (gcc bug 80816), so what runs at the end of a thread must not look at itself. It
// looks here, by the thread's id.
class WorkerSet::ClaimsTable {
 public:
  // Never destroyed: a thread may end after main has returned.
  static ClaimsTable& Instance() noexcept {
    static ClaimsTable* const table = new ClaimsTable;
    return *table;
  }

  // Null if the thread never held anything.
  Claims* Find() noexcept {
    if (own_claims == nullptr) {
      const std::lock_guard lock(mutex_);
      const auto found = claims_.find(std::this_thread::get_id());
      if (found != claims_.end()) own_claims = found->second.get();
    }
    return own_claims;
  }

  Claims& Make() {
    if (Claims* claims = Find()) return *claims;
    auto made = std::make_unique<Claims>();
    {
      const std::lock_guard lock(mutex_);
      own_claims = (claims_[std::this_thread::get_id()] = std::move(made)).get();
    }
    thread_local const ThreadEnd end;
    return *own_claims;
  }

 private:
  class ThreadEnd {
   public:
    ThreadEnd() noexcept {}
    ~ThreadEnd() { Instance().Remove(); }
  };

  // A thread that ends while it is in a hook has not returned from it: it is in std::exit, and its
  // workers stay as they are. (MinGW has forgotten the watch by now, so the workers are asked too.)
  void Remove() noexcept {
    if (ExitWatch::IsExitingThread()) return;
    std::unique_ptr<Claims> ended;  // let go of without the lock: it serves its workers once more
    const std::lock_guard lock(mutex_);
    const auto found = claims_.find(std::this_thread::get_id());
    if (found == claims_.end() || found->second->IsAnyInUse()) return;
    ended = std::move(found->second);
    claims_.erase(found);
    own_claims = nullptr;
  }

  // The calling thread's, once it has looked them up.
  static inline thread_local Claims* own_claims = nullptr;

  std::mutex mutex_;
  std::unordered_map<std::thread::id, std::unique_ptr<Claims>> claims_;
};

WorkerSet::WorkerSet(std::shared_ptr<PortFactory> factory, std::shared_ptr<const Log> log)
    : factory_(std::move(factory)), log_(std::move(log)) {}

WorkerSet::~WorkerSet() = default;

Error WorkerSet::Make(std::size_t count) {
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::size_t index = 0; index < count; ++index) {
    std::unique_ptr<CompletionPort> port;
    if (const Error error = factory_->MakePort(port)) {
      return error.At(fmt::format("worker {} of {}", index + 1, count));
    }
    workers.push_back(std::make_unique<Worker>(index, std::move(port), log_));
  }
  holds_ = std::make_unique<std::atomic<Hold>[]>(count);
  for (std::size_t index = 0; index < count; ++index) holds_[index] = Hold::kFree;
  workers_ = std::move(workers);
  return {};
}

Worker* WorkerSet::FindClaim() const noexcept {
  const Claims* claims = ClaimsTable::Instance().Find();
  return claims != nullptr ? claims->Find(*this) : nullptr;
}

void WorkerSet::DropClaim() noexcept {
  if (Claims* claims = ClaimsTable::Instance().Find()) claims->Drop(*this);
}

bool WorkerSet::IsHolder() const noexcept { return driver_ != nullptr || FindClaim() != nullptr; }

Error WorkerSet::DriveBy(WorkerDriver& driver) {
  for (const auto& worker : workers_) {
    if (const Error error = worker->AttachThread()) return error;
    holds_[worker->Index()].store(Hold::kHeld, std::memory_order_release);
  }
  driven_count_ = workers_.size();
  driver_ = &driver;
  return {};
}

DispatchStatus WorkerSet::RunRound(std::size_t index) {
  const ExitWatch watch;
  Worker& worker = *workers_[index];
  if (!stopping_.load(std::memory_order_acquire)) {
    return worker.Round(kNoWait) > 0 ? DispatchStatus::kHandled : DispatchStatus::kTimedOut;
  }
  Release(worker);
  if (--driven_count_ == 0) driver_ = nullptr;
  return DispatchStatus::kStopped;
}

Worker::Seat WorkerSet::Pick() noexcept {
  Worker* best = nullptr;
  Worker* free = nullptr;
  for (const auto& worker : workers_) {
    const Hold hold = holds_[worker->Index()].load(std::memory_order_acquire);
    if (hold == Hold::kFree && free == nullptr) free = worker.get();
    if (hold != Hold::kHeld) continue;
    if (best == nullptr || worker->Load() < best->Load()) best = worker.get();
  }
  if (best == nullptr) best = free != nullptr ? free : workers_.front().get();
  return Worker::Seat(*best);
}

Worker* WorkerSet::Take(TimePoint give_up, DispatchStatus& status) {
  const auto self = shared_from_this();  // who waits here holds no worker yet
  Claims& claims = ClaimsTable::Instance().Make();
  claims.MakeRoom();
  Worker* worker = nullptr;
  {
    std::unique_lock lock(mutex_);
    const auto find_free = [&] {
      for (std::size_t index = 0; index < workers_.size() && worker == nullptr; ++index) {
        if (holds_[index] == Hold::kFree) worker = workers_[index].get();
      }
      return worker != nullptr || stopping_;
    };
    while (!find_free() && std::chrono::steady_clock::now() < give_up) {
      WaitUntil(changed_, lock, give_up);
    }
    if (stopping_ || worker == nullptr) {
      status = stopping_ ? DispatchStatus::kStopped : DispatchStatus::kTimedOut;
      return nullptr;
    }
    holds_[worker->Index()].store(Hold::kHeld, std::memory_order_release);
  }
  claims.Add(Claim(shared_from_this(), *worker));
  if (const Error error = worker->AttachThread()) {
    WriteLog(*log_, LogLevel::kError, "worker {}: {}", worker->Index(), error.Message());
    DropClaim();
    status = DispatchStatus::kStopped;
    return nullptr;
  }
  return worker;
}

DispatchStatus WorkerSet::Dispatch(std::chrono::milliseconds timeout) {
  const ExitWatch watch;
  if (ExitWatch::IsExiting()) return DispatchStatus::kStopped;
  NETCORE_ASSERT(!workers_.empty());
  if (driver_ != nullptr) return driver_->Dispatch(timeout);
  Worker* worker = FindClaim();
  if (worker == nullptr) {
    // A port's own clock may be a simulated one: this one is only for waiting.
    DispatchStatus status;
    worker = Take(Later(std::chrono::steady_clock::now(), timeout), status);
    if (worker == nullptr) return status;
  }
  const TimePoint deadline = worker->Port().DeadlineIn(timeout);
  for (;;) {
    if (stopping_.load(std::memory_order_acquire)) {
      DropClaim();
      return DispatchStatus::kStopped;
    }
    if (worker->Round(deadline) > 0) return DispatchStatus::kHandled;
    if (deadline == kNever) continue;
    if (worker->Port().Now() >= deadline) return DispatchStatus::kTimedOut;
  }
}

void WorkerSet::DispatchUntilStopped() {
  const ExitWatch watch;
  while (Dispatch(kForever) != DispatchStatus::kStopped) {
    Worker* const worker = FindClaim();
    while (worker != nullptr && !stopping_.load(std::memory_order_acquire)) worker->Round(kNever);
  }
}

void WorkerSet::Release(Worker& worker) noexcept {
  if (!stopping_.load(std::memory_order_acquire) && !worker.IsEmpty()) {
    WriteLog(*log_, LogLevel::kError,
             "worker {}: its thread ended without a Stop of the core; {} sessions and the "
             "listeners on it end with it",
             worker.Index(), worker.Load());
  }
  CloseWorker(worker);
}

void WorkerSet::CloseWorker(Worker& worker) noexcept {
  worker.ShutDown();
  const std::lock_guard lock(mutex_);
  holds_[worker.Index()].store(Hold::kClosed, std::memory_order_release);
  changed_.notify_all();
}

void WorkerSet::Stop() noexcept {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = !stopping_.exchange(true, std::memory_order_acq_rel);
    changed_.notify_all();
  }
  if (first) RingAll();
  // This thread may never call Dispatch again.
  if (Worker::Current() == nullptr) DropClaim();
}

void WorkerSet::RingAll() noexcept {
  // From here on no thread takes a worker: those that are free have never run.
  for (const auto& worker : workers_) {
    Hold expected = Hold::kFree;
    if (holds_[worker->Index()].compare_exchange_strong(expected, Hold::kClosed)) {
      worker->ShutDown();
    } else {
      worker->RingOnce();
    }
  }
}

}  // namespace netcore
