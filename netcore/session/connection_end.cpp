// How a connection ends: gracefully or at once, and its one path to death.
#include <memory>
#include <utility>

#include "netcore/base/assert.h"
#include "netcore/session/connection.h"
#include "netcore/session/packet_session.h"

namespace netcore {

// A graceful end that no hook asked for. What a hook has sent may be in the mail still, and is to
// leave before the end: so that goes the same way.
void Connection::EndBehindMail(CloseReason reason) noexcept {
  Disconnect(reason, Closing::kGraceful);
}

// The one way to an end. The first reason stands; an abort, or a fault, cuts a graceful end short.
void Connection::BeginEnd(CloseReason reason, Closing closing, const Error& error) noexcept {
  if (phase_ >= Phase::kDraining) return;
  if (phase_ <= Phase::kOpen) {
    close_info_.reason = reason;
    State state = state_.load(std::memory_order_relaxed);
    while (state < State::kDisconnecting &&
           !state_.compare_exchange_weak(state, State::kDisconnecting)) {
    }
  }
  if (!close_info_.error) close_info_.error = error;
  if (closing == Closing::kAbort || phase_ == Phase::kConnecting) return Drain(true);
  if (phase_ != Phase::kOpen) return;
  phase_ = Phase::kFlushing;
  deadlines_.BeginEnd(worker_.Now(), context_->Options().close_timeout);
  SetTimer();
  ContinueEnd();
}

// The next step of a graceful end, if what it waits for has come.
void Connection::ContinueEnd() noexcept {
  if (phase_ == Phase::kFlushing) {
    if (IsSending()) return;
    if (!queue_.Empty()) return worker_.FlushLater(*this);
    if (!fin_sent_) worker_.Port().ShutdownSend(*socket_);
    phase_ = Phase::kLingering;
  }
  if (phase_ != Phase::kLingering) return;
  // Bytes that nobody read would turn our close into a reset, which may take from the peer what it
  // has not read.
  if (peer_closed_) return Drain(false);
  if (!recv_pending_) return SubmitRecv();
  paused_ = false;
  worker_.Port().ResumeRecv(*socket_, recv_event_);
}

void Connection::Drain(bool abort) noexcept {
  if (phase_ >= Phase::kDraining) return;
  phase_ = Phase::kDraining;
  abort_ = abort;
  worker_.Timers().Cancel(*this);
  CompletionPort& port = worker_.Port();
  if (connect_event_ != nullptr) port.Cancel(*connect_event_);
  if (recv_pending_) port.Cancel(recv_event_);
  if (send_pending_) port.Cancel(send_event_);
  FinishOneLater();
}

// OnDisconnected never runs inside a verb, nor inside another session's hook, nor while the
// residents are walked.
void Connection::FinishOneLater() noexcept {
  if (FinishOne()) PushLater();
}

void Connection::PushLater() noexcept {
  const bool pushed = inbox_->Push(later_mail_);
  NETCORE_ASSERT(pushed);  // a worker's inbox is open as long as somebody lives there
}

void Connection::RunLater() noexcept {
  if (std::exchange(held_in_mail_, false)) {
    DeliverHeld();
    if (!FinishOne()) return;
  }
  Close();
}

void Connection::Close() noexcept {
  const bool cut = abort_ || !queue_.Empty();
  phase_ = Phase::kClosed;
  ExitGroups();
  place_.Leave();
  if (socket_ != nullptr) {
    worker_.Port().Close(*socket_, cut ? CloseMode::kAbort : CloseMode::kGraceful);
  }
  worker_.Remove(*this);
  state_.store(State::kClosed, std::memory_order_release);
  close_info_.bytes_unsent = queued_bytes_.load(std::memory_order_relaxed);

  if (session_.packets_ != nullptr) session_.packets_->DropReceived();

  // Let go of in this order: the session, which may be this connection's end, then what lets
  // WaitStopped return.
  const std::shared_ptr<SessionContext> context = context_;
  const SessionContext::Ticket ticket = std::move(ticket_);
  const Worker::Seat seat = std::move(seat_);
  const SessionRef self = std::move(self_);

  TellDisconnected();
  if (opened_) context->SessionEnded(close_info_.bytes_unsent);
  queue_.Clear();
}

void Connection::OnStop(const void* group, TimePoint deadline) noexcept {
  if (group != nullptr && group != context_.get()) return;
  if (deadline <= worker_.Now()) {
    return BeginEnd(CloseReason::kServiceStopping, Closing::kAbort);
  }
  EndBehindMail(CloseReason::kServiceStopping);
  if (phase_ >= Phase::kDraining) return;
  deadlines_.StopBy(deadline);
  SetTimer();
}

}  // namespace netcore
