#include "netcore/logic/logic_pool.h"

#include <utility>

#include "netcore/base/exit_watch.h"
#include "netcore/logic/logic_threads.h"

namespace netcore {

LogicPool::LogicPool(LogicPoolOptions options)
    : threads_(std::make_shared<LogicThreads>(std::move(options))) {}

LogicPool::~LogicPool() {
  if (ExitWatch::IsExiting()) {
    ExitWatch::Keep(threads_);
    return;
  }
  threads_->Stop(StopMode::kDrop);
  threads_->JoinAll();
}

Error LogicPool::Start() { return threads_->Start(); }

void LogicPool::Stop(StopMode mode) noexcept {
  if (!ExitWatch::IsExiting()) threads_->Stop(mode);
}

std::size_t LogicPool::ThreadCount() const noexcept { return threads_->ThreadCount(); }

TimePoint LogicPool::Now() const noexcept { return LogicThreads::Now(); }

const std::shared_ptr<const Log>& LogicPool::GetLog() const noexcept { return threads_->GetLog(); }

bool LogicPool::Join(Runnable& runnable) { return threads_->Join(runnable); }

void LogicPool::Leave(Runnable& runnable) noexcept { threads_->Leave(runnable); }

void LogicPool::Schedule(Runnable& runnable) noexcept { threads_->Schedule(runnable); }

void LogicPool::SetAlarm(Runnable& runnable, TimePoint deadline) noexcept {
  threads_->SetAlarm(runnable, deadline);
}

}  // namespace netcore
