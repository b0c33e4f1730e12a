// A worker's round, and its end.
#include "netcore/core/worker.h"

#include <algorithm>
#include <utility>

#include "netcore/base/assert.h"
#include "netcore/base/exit_watch.h"
#include "netcore/base/log_format.h"

namespace netcore {
namespace {

thread_local Worker* current_worker = nullptr;

// Cancelled operations complete within milliseconds. Whoever needs longer than this is a bug that
// must be seen.
constexpr Duration kShutDownLimit = std::chrono::seconds(10);
constexpr Duration kShutDownRound = std::chrono::milliseconds(10);

// Dispatches in one round, where taking more makes fewer sends.
constexpr int kMaxDispatches = 16;

class CurrentScope {
 public:
  CurrentScope(Worker& worker, bool& in_use) noexcept
      : outer_(std::exchange(current_worker, &worker)), in_use_(in_use) {
    in_use_ = true;
  }
  CurrentScope(const CurrentScope&) = delete;
  CurrentScope& operator=(const CurrentScope&) = delete;
  ~CurrentScope() {
    in_use_ = false;
    current_worker = outer_;
  }

 private:
  Worker* const outer_;
  bool& in_use_;
};

}  // namespace

Worker::Worker(std::size_t index, std::unique_ptr<CompletionPort> port,
               std::shared_ptr<const Log> log)
    : index_(index),
      log_(std::move(log)),
      port_(std::move(port)),
      inbox_(std::make_shared<Inbox>(*port_)),
      at_once_from_(port_->AtOnceFrom()),
      now_(port_->Now()) {}

Worker::~Worker() {
  if (port_ != nullptr) ShutDown();
}

Worker* Worker::Current() noexcept { return current_worker; }

void Worker::Remove(Resident& resident) noexcept {
  dirty_.Remove(resident);
  residents_.Remove(resident);
}

void Worker::StopGroup(const void* group, TimePoint deadline) noexcept {
  for (Resident* resident = residents_.First(); resident != nullptr;
       resident = residents_.After(*resident)) {
    resident->OnStop(group, deadline);
  }
}

std::size_t Worker::Round(TimePoint deadline) noexcept {
  NETCORE_ASSERT(current_worker == nullptr);  // Dispatch was called from inside a hook
  const CurrentScope scope(*this, in_use_);

  const bool sleeps = deadline != kNoWait && dirty_.Empty() && inbox_->TrySleep();
  now_is_old_ = true;
  std::size_t handled = DispatchPort(sleeps ? std::min(deadline, timers_.NextDeadline()) : kNoWait);
  if (sleeps) inbox_->WakeUp();

  handled += inbox_->DeliverAll();
  if (!port_->IsKnownBefore(timers_.NextDeadline()) && timers_.IsDue(Now())) {
    handled += timers_.FireDue(Now());
  }

  handled += FlushDirty();
  // Mostly the sends have left already, and whoever sent them is still in the processor's cache.
  return handled + port_->HandOutReady();
}

// Not those that are made dirty meanwhile: two could keep each other here for ever.
std::size_t Worker::FlushDirty() noexcept {
  const Resident* const last = dirty_.Last();
  std::size_t count = 0;
  while (Resident* const resident = dirty_.First()) {
    dirty_.Remove(*resident);
    resident->Flush();
    ++count;
    if (resident == last) break;
  }
  return count;
}

// Where each session answers for itself there is nothing to wait for, and a flush after a few
// completions finds all that it needs in the processor's cache.
std::size_t Worker::DispatchPort(TimePoint deadline) noexcept {
  takes_more_ = false;
  std::size_t handled = port_->DispatchUntil(deadline);
  std::size_t last = handled;
  for (int i = 1; i < kMaxDispatches && takes_more_ && last >= CompletionPort::kFullDispatch; ++i) {
    last = port_->DispatchUntil(kNoWait);
    handled += last;
  }
  return handled;
}

void Worker::ShutDown() noexcept {
  const ExitWatch watch;
  stopping_ = true;
  const TimePoint give_up = Later(port_->Now(), kShutDownLimit);
  while (!residents_.Empty() && port_->Now() < give_up) {
    now_ = port_->Now();
    StopGroup(nullptr, now_);
    Round(Later(now_, kShutDownRound));
  }
  {
    // Who learns from the closed inbox that its session has ended is in a hook.
    const CurrentScope scope(*this, in_use_);
    inbox_->Close();
  }
  if (residents_.Empty()) {
    port_.reset();
    return;
  }
  // Their operations are still with the system and point to them: better to lose the port than to
  // free it now.
  WriteLog(*log_, LogLevel::kError,
           "worker {}: objects did not end within {} s; their memory and the port are lost", index_,
           std::chrono::duration_cast<std::chrono::seconds>(kShutDownLimit).count());
  static_cast<void>(port_.release());
}

}  // namespace netcore
