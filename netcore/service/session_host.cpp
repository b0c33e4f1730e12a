// Opening and stopping a host.
#include "netcore/service/session_host.h"

#include <algorithm>
#include <new>
#include <utility>
#include <vector>

#include "netcore/base/exit_watch.h"
#include "netcore/base/log_format.h"
#include "netcore/session/session_manager.h"

namespace netcore {
namespace {

// For a thread that runs a worker itself: how long it serves the others before it looks again.
constexpr std::chrono::milliseconds kDispatchSlice{10};

}  // namespace

SessionHost::SessionHost(std::shared_ptr<IocpCore> core) : core_(std::move(core)) {}

Error SessionHost::Open(const SessionOptions& options, std::size_t max_sessions) {
  if (const Error error = options.Validate()) return error;
  if (const Error error = core_->Open()) return error;
  const std::lock_guard lock(mutex_);
  if (stopped_) return ErrorCode::kStopped;
  if (context_ != nullptr) return {};
  workers_ = core_->Workers();
  std::vector<std::shared_ptr<Inbox>> inboxes;
  for (std::size_t index = 0; index < workers_->Count(); ++index) {
    inboxes.push_back(workers_->At(index).GetInbox());
  }
  context_ = std::make_shared<SessionContext>(options, max_sessions, workers_->Count(),
                                              std::make_shared<SessionManager>(std::move(inboxes)),
                                              core_->GetLog(), workers_->Factory().Name());
  return {};
}

void SessionHost::Revoke() noexcept {
  const std::lock_guard lock(mutex_);
  context_.reset();
  workers_.reset();
}

std::shared_ptr<WorkerSet> SessionHost::Workers() const {
  const std::lock_guard lock(mutex_);
  return workers_;
}

std::shared_ptr<SessionContext> SessionHost::Context() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

void SessionHost::Stop(std::chrono::milliseconds deadline) noexcept {
  if (ExitWatch::IsExiting()) return;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  const std::shared_ptr<SessionContext> context = Context();
  if (context == nullptr) return;
  deadline = std::max(deadline, std::chrono::milliseconds::zero());
  context->BeginStop(deadline);
  const std::shared_ptr<WorkerSet> workers = Workers();
  for (std::size_t index = 0; index < workers->Count(); ++index) {
    Worker& worker = workers->At(index);
    try {
      static_cast<void>(worker.GetInbox()->Push([context, &worker, deadline] {
        worker.StopGroup(context.get(), Later(worker.Now(), deadline));
      }));
    } catch (const std::bad_alloc&) {
      WriteLog(context->GetLog(), LogLevel::kError,
               "worker {}: no memory to stop its sessions; call Stop again", index);
    }
  }
}

StopReport SessionHost::WaitStopped() {
  if (ExitWatch::IsExiting()) return {};
  const std::shared_ptr<SessionContext> context = Context();
  if (context == nullptr) {
    StopReport nothing;
    nothing.complete = true;
    return nothing;
  }
  if (Worker::Current() != nullptr) {
    WriteLog(context->GetLog(), LogLevel::kError,
             "WaitStopped was called from inside a hook, which would wait for itself");
    return context->Report();
  }
  const std::shared_ptr<WorkerSet> workers = Workers();
  if (!workers->IsHolder()) {
    context->WaitDrained();
    return context->Report();
  }
  while (!context->IsDrained() && !context->IsOverdue()) {
    if (workers->Dispatch(kDispatchSlice) == DispatchStatus::kStopped) {
      context->WaitDrained();
    }
  }
  return context->Report();
}

std::shared_ptr<SessionManager> SessionHost::Sessions() const {
  const std::shared_ptr<SessionContext> context = Context();
  return context != nullptr ? context->Manager() : nullptr;
}

ServiceStats SessionHost::Stats() const {
  const std::shared_ptr<SessionContext> context = Context();
  return context != nullptr ? context->Stats() : ServiceStats{};
}

}  // namespace netcore
