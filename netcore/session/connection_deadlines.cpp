// When a connection's deadlines are set, and what happens when one has come.
#include <new>

#include "netcore/session/connection.h"

namespace netcore {

void Connection::PacketBegan() noexcept {
  if (deadlines_.BeginMessage(worker_.Now(), context_->Options().frame_timeout)) SetTimer();
}

void Connection::PacketEnded() noexcept { deadlines_.EndMessage(); }

// See Deadlines: nobody is ended for time that was ours.
void Connection::OnTimer(TimePoint now) noexcept {
  const SessionOptions& options = context_->Options();
  const Deadlines::Kind due = deadlines_.Due(now, options, GetAwaited());
  if (due == Deadlines::Kind::kNone) return SetTimer();
  if (HasNewsOf(due)) return SetTimer(now);  // that is for the next round, which brings them
  if (phase_ != Phase::kConnecting && deadlines_.Postpone(due, now, options)) return SetTimer();
  Expire(due);
}

// Whether the system has already what would put the deadline off, unseen until now.
bool Connection::HasNewsOf(Deadlines::Kind due) noexcept {
  CompletionPort& port = worker_.Port();
  switch (due) {
    case Deadlines::Kind::kEnd:
      return phase_ == Phase::kConnecting && port.HasNews(*connect_event_);
    case Deadlines::Kind::kRoom:
      return port.HasNews(send_event_);
    case Deadlines::Kind::kMessage:
      return port.HasNews(recv_event_) && deadlines_.LookFirst();
    case Deadlines::Kind::kIdle:
      return port.HasNews(recv_event_);
    case Deadlines::Kind::kNone:
    case Deadlines::Kind::kStop:
      return false;
  }
  return false;
}

void Connection::Expire(Deadlines::Kind due) noexcept {
  switch (phase_) {
    case Phase::kConnecting:
      return BeginEnd(CloseReason::kTimedOut, Closing::kAbort, AtPeer(ErrorCode::kTimedOut));
    case Phase::kOpen:
      if (due == Deadlines::Kind::kIdle) return EndBehindMail(CloseReason::kIdleTimeout);
      if (due == Deadlines::Kind::kMessage) return EndBehindMail(deadlines_.MessageReason());
      return BeginEnd(
          due == Deadlines::Kind::kRoom ? CloseReason::kSendStalled : CloseReason::kServiceStopping,
          Closing::kAbort);
    case Phase::kFlushing:
      return Drain(true);
    case Phase::kLingering:
      return Drain(false);
    case Phase::kDraining:
    case Phase::kClosed:
      return;
  }
}

// Moves the timer only to an earlier time: one that fires too early finds that out and moves
// itself.
void Connection::SetTimer(TimePoint deadline) noexcept {
  if (deadline >= Deadline()) return;
  try {
    worker_.Timers().Arm(*this, deadline);
  } catch (const std::bad_alloc&) {
    BeginEnd(CloseReason::kSystemError, Closing::kAbort, ErrorCode::kNoBuffers);
  }
}

// The place is a courtesy: without memory for it the error stands alone.
Error Connection::AtPeer(const Error& error) const noexcept {
  try {
    return error.At("connect " + peer_.ToString());
  } catch (const std::bad_alloc&) {
    return error;
  }
}

}  // namespace netcore
