// Accepting, backing off, and ending.
#include "netcore/service/acceptor.h"

#include <algorithm>
#include <new>
#include <utility>

#include "netcore/base/log_format.h"

namespace netcore {

Acceptor::Acceptor(std::shared_ptr<WorkerSet> workers, Worker& worker,
                   std::shared_ptr<SessionContext> context, SessionFactory factory,
                   Endpoint address, std::size_t depth)
    : workers_(std::move(workers)),
      worker_(worker),
      context_(std::move(context)),
      factory_(std::move(factory)),
      address_(address) {
  parked_.reserve(depth);
  while (events_.size() < depth) {
    events_.push_back(std::make_unique<IocpEvent>(EventKind::kAccept, *this));
    parked_.push_back(events_.back().get());
  }
}

void Acceptor::Start(OwnedSocket socket, SessionContext::Ticket ticket) noexcept {
  if (worker_.IsStopping() || context_->IsStopping()) return;
  self_ = shared_from_this();
  ticket_ = std::move(ticket);
  worker_.Add(*this);
  listening_ = std::move(socket);
  Listen();
}

// A server that is deaf for lack of memory is as if it had not been started: so it tries again.
void Acceptor::Listen() noexcept {
  try {
    socket_ = worker_.Port().Adopt(std::move(listening_), {});
  } catch (const std::bad_alloc&) {
    return BackOff("listen", ErrorCode::kNoBuffers);
  }
  NoteWorks();
  SubmitParked(parked_.size());
}

void Acceptor::Submit(IocpEvent& event) noexcept {
  ++pending_;
  worker_.Port().SubmitAccept(*socket_, event);
}

void Acceptor::SubmitParked(std::size_t count) noexcept {
  for (; count > 0 && !parked_.empty(); --count) {
    IocpEvent& event = *parked_.back();
    parked_.pop_back();
    Submit(event);
  }
}

void Acceptor::Dispatch(IocpEvent& event, IoResult& result) noexcept {
  if (result.more) return NoteAborted();  // the accept is still posted
  --pending_;
  parked_.push_back(&event);
  if (stopping_) {
    if (pending_ == 0) Close();
    return;
  }
  if (result.error) {
    ProcessFailure(result.error);
  } else {
    ProcessAccept(*result.accepted);
  }
  if (!IsBackingOff()) SubmitParked(parked_.size());
}

void Acceptor::ProcessAccept(AcceptedSocket& accepted) noexcept {
  NoteWorks();
  SessionContext::Ticket ticket = context_->EnterSession();
  if (!ticket) {
    // Over the limit: a clean end, not the reset that dropping the socket would be.
    try {
      worker_.Port().Close(*worker_.Port().Adopt(std::move(accepted.socket), {}),
                           CloseMode::kGraceful);
    } catch (const std::bad_alloc&) {
      return;
    }
    return;
  }
  Worker::Seat seat = workers_->Pick();
  Worker& target = seat.GetWorker();
  if (&target == &worker_) {
    return Connection::Accept(factory_, context_, std::move(ticket), std::move(seat),
                              std::move(accepted.socket), accepted.peer);
  }
  try {
    static_cast<void>(target.GetInbox()->Push(
        [self = shared_from_this(), ticket = std::move(ticket), seat = std::move(seat),
         socket = std::move(accepted.socket), peer = accepted.peer]() mutable {
          Connection::Accept(self->factory_, self->context_, std::move(ticket), std::move(seat),
                             std::move(socket), peer);
        }));
  } catch (const std::bad_alloc&) {
    ProcessFailure(ErrorCode::kNoBuffers);
  }
}

void Acceptor::ProcessFailure(const Error& error) noexcept {
  switch (error.Code()) {
    case ErrorCode::kConnectionAborted:
      return NoteAborted();
    case ErrorCode::kTooManyFiles:
    case ErrorCode::kNoBuffers:
    case ErrorCode::kAccessDenied:
      break;
    default:
      if (++unknown_in_a_row_ >= kMaxUnknownInARow || IsBackingOff()) break;
      context_->Counters(worker_.Index()).AddAcceptFailure();
      return;
  }
  context_->Counters(worker_.Index()).AddAcceptFailure();
  ++failures_told_;
  // Else it is another one of those that were posted together.
  if (!IsBackingOff() || !IsArmed()) BackOff("accept", error);
}

// A peer that was gone first. The system had what the accept takes.
void Acceptor::NoteAborted() noexcept {
  context_->Counters(worker_.Index()).AddAcceptAborted();
  if (stopping_ || !IsBackingOff()) return;
  NoteWorks();
  SubmitParked(parked_.size());
}

void Acceptor::NoteWorks() noexcept {
  unknown_in_a_row_ = 0;
  if (!IsBackingOff()) return;
  back_off_ = std::chrono::milliseconds::zero();
  worker_.Timers().Cancel(*this);
  static_cast<void>(SetTimer(Later(last_trouble_, kQuietTime)));
}

void Acceptor::BackOff(const char* from, const Error& error) noexcept {
  TellTrouble(from, error);
  worker_.Timers().Cancel(*this);
  back_off_ = std::clamp(2 * back_off_, kMinBackOff, kMaxBackOff);
  // Without memory for the timer: at once rather than never.
  if (!SetTimer(Later(worker_.Now(), back_off_))) back_off_ = std::chrono::milliseconds::zero();
}

void Acceptor::TellTrouble(const char* from, const Error& error) noexcept {
  last_trouble_ = worker_.Now();
  if (std::exchange(is_in_trouble_, true)) return;
  WriteLog(context_->GetLog(), LogLevel::kWarning, "{} {}: {}; trying again until it works", from,
           address_, error);
}

void Acceptor::TellWorks() noexcept {
  is_in_trouble_ = false;
  WriteLog(context_->GetLog(), LogLevel::kWarning, "accept {}: works again, after {} failures",
           address_, std::exchange(failures_told_, 0));
}

bool Acceptor::SetTimer(TimePoint time) noexcept {
  try {
    worker_.Timers().Arm(*this, time);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void Acceptor::OnTimer(TimePoint) noexcept {
  if (socket_ == nullptr) return Listen();
  if (!IsBackingOff()) return TellWorks();
  // One is enough to find out. Those that never failed are still posted.
  if (pending_ == 0) SubmitParked(1);
}

void Acceptor::OnStop(const void* group, TimePoint) noexcept {
  if (stopping_ || (group != nullptr && group != context_.get())) return;
  stopping_ = true;
  worker_.Timers().Cancel(*this);
  for (const auto& event : events_) worker_.Port().Cancel(*event);
  worker_.FlushLater(*this);  // nobody leaves while the residents are walked
}

void Acceptor::Flush() noexcept {
  if (stopping_ && pending_ == 0) Close();
}

void Acceptor::Close() noexcept {
  if (socket_ != nullptr) worker_.Port().Close(*socket_, CloseMode::kGraceful);
  worker_.Remove(*this);
  const SessionContext::Ticket ticket = std::move(ticket_);
  const std::shared_ptr<Acceptor> self = std::move(self_);
}

}  // namespace netcore
