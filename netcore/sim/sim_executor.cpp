#include "netcore/sim/sim_executor.h"

#include <utility>

#include "netcore/base/assert.h"

namespace netcore {

SimExecutor::SimExecutor(std::shared_ptr<const MemoryNet> net,
                         std::shared_ptr<const Log> log) noexcept
    : net_(std::move(net)), log_(std::move(log)) {}

void SimExecutor::SetAlarm(Runnable& runnable, TimePoint deadline) noexcept {
  const std::shared_ptr<Runnable> released = book_.SetAlarm(runnable, deadline);
}

bool SimExecutor::RunOther() {
  NETCORE_ASSERT(!in_step_);
  const bool possible = run_other_ && run_other_();
  NETCORE_ASSERT(possible);  // a wait without an end
  return true;
}

std::uint64_t SimExecutor::RunStep(std::size_t position, std::size_t most) noexcept {
  NETCORE_ASSERT(!in_step_);
  const std::shared_ptr<Runnable> runnable = book_.TakeReady(position);
  const std::uint64_t number = ExecutorBook::NumberOf(*runnable);
  in_step_ = true;
  const bool again = runnable->RunStep(most);
  in_step_ = false;
  if (again) book_.AddReady(*runnable);
  return number;
}

bool SimExecutor::TakeAlarm() noexcept {
  if (ringing_ == nullptr) ringing_ = book_.TakeDue(Now());
  return ringing_ != nullptr;
}

bool SimExecutor::RingOne() noexcept {
  if (!TakeAlarm()) return false;
  const std::shared_ptr<Runnable> due = std::move(ringing_);
  due->OnAlarm();
  return true;
}

void SimExecutor::Stop(StopMode mode) noexcept {
  book_.BeginStop(mode);
  while (const std::shared_ptr<Runnable> runnable = book_.TakeToStop(mode)) runnable->OnStop(mode);
}

}  // namespace netcore
