// The watchdog's thread.
#include "netcore/core/watchdog.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "netcore/base/exit_watch.h"
#include "netcore/base/log_format.h"
#include "netcore/base/timed_wait.h"

namespace netcore {
namespace {

constexpr std::chrono::seconds kHookReportInterval{1};

}  // namespace

Watchdog::Watchdog(std::shared_ptr<WorkerSet> workers, Duration limit)
    : workers_(std::move(workers)), limit_(limit), seen_(workers_->Count()) {
  thread_ = std::thread([this] { Run(); });
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

void Watchdog::Run() {
  const ExitWatch watch;
  const Duration interval = std::max<Duration>(limit_ / 4, std::chrono::milliseconds(1));
  TimePoint next = Later(std::chrono::steady_clock::now(), interval);
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const TimePoint now = std::chrono::steady_clock::now();
    if (now < next) {
      WaitUntil(stop_, lock, next);
      continue;
    }
    lock.unlock();  // what Look logs reaches code of the user's
    for (std::size_t index = 0; index < seen_.size(); ++index) Look(index, now);
    lock.lock();
    next = Later(now, interval);
  }
}

void Watchdog::Look(std::size_t index, TimePoint now) {
  const HookMark& mark = workers_->At(index).Mark();
  const char* name = mark.name.load(std::memory_order_acquire);
  const std::uint64_t count = mark.count.load(std::memory_order_relaxed);
  Seen& seen = seen_[index];
  const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(now - seen.since).count();

  const bool same = name != nullptr && seen.name != nullptr && count == seen.count;
  if (!same) {
    if (seen.reported) {
      WriteLog(*workers_->GetLog(), LogLevel::kWarning,
               "worker {}: {} has returned after about {} ms", index, seen.name, age);
    }
    if (seen.overdue) ++seen.left_out;
    seen = {count, now, name, false, false, seen.quiet_until, seen.left_out};
    return;
  }
  if (seen.reported || now - seen.since < limit_) return;
  seen.overdue = now < seen.quiet_until;
  if (seen.overdue) return;
  seen.reported = true;
  seen.quiet_until = now + kHookReportInterval;
  WriteLog(
      *workers_->GetLog(), LogLevel::kWarning,
      "worker {}: {} of session {:x} has not returned for {} ms; nobody else on this worker is "
      "served meanwhile{}",
      index, name, mark.session.load(std::memory_order_relaxed), age,
      MoreLikeIt{std::exchange(seen.left_out, 0)});
}

}  // namespace netcore
