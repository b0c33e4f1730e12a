#include "netcore/session/deadlines.h"

#include <algorithm>
#include <utility>

namespace netcore {

void Deadlines::BeginConnect(TimePoint now, std::chrono::milliseconds timeout) noexcept {
  end_ = After(now, timeout);
}

void Deadlines::Open(TimePoint now, std::chrono::milliseconds first_message) noexcept {
  end_ = kNever;
  last_recv_ = paused_at_ = now;
  message_ = After(now, first_message);
}

void Deadlines::Resume(TimePoint now) noexcept {
  last_recv_ = now;
  message_ = Later(message_, now - paused_at_);
}

bool Deadlines::BeginMessage(TimePoint now, std::chrono::milliseconds limit) noexcept {
  if (std::exchange(in_message_, true)) return false;
  const TimePoint deadline = After(now, limit);
  if (deadline >= message_) return false;
  message_ = deadline;
  message_reason_ = CloseReason::kFrameTimeout;
  message_moved_ = false;
  look_ = Look::kNone;
  return true;
}

void Deadlines::EndMessage() noexcept {
  in_message_ = false;
  message_ = kNever;
}

void Deadlines::BeginSend(TimePoint now, std::chrono::milliseconds stall_limit) noexcept {
  room_ = After(now, stall_limit);
  send_moved_ = false;
}

void Deadlines::BeginEnd(TimePoint now, std::chrono::milliseconds limit) noexcept {
  end_ = After(now, limit);
  end_length_ = limit;
}

void Deadlines::StopBy(TimePoint deadline) noexcept { stop_ = std::min(stop_, deadline); }

TimePoint Deadlines::Next(const SessionOptions& options, Awaited awaited) const noexcept {
  TimePoint next = std::min(end_, stop_);
  if (awaited.bytes) next = std::min({next, message_, After(last_recv_, options.idle_timeout)});
  if (awaited.room) next = std::min(next, room_);
  return next;
}

Deadlines::Kind Deadlines::Due(TimePoint now, const SessionOptions& options,
                               Awaited awaited) const noexcept {
  if (stop_ <= now) return Kind::kStop;
  if (end_ <= now) return Kind::kEnd;
  if (awaited.room && room_ <= now) return Kind::kRoom;
  if (!awaited.bytes) return Kind::kNone;
  if (message_ <= now) return Kind::kMessage;
  return After(last_recv_, options.idle_timeout) <= now ? Kind::kIdle : Kind::kNone;
}

bool Deadlines::Postpone(Kind due, TimePoint now, const SessionOptions& options) noexcept {
  switch (due) {
    case Kind::kEnd:
      return TryMove(end_, now, end_length_, end_moved_);
    case Kind::kMessage:
      return TryMove(message_, now,
                     message_reason_ == CloseReason::kFrameTimeout ? options.frame_timeout
                                                                   : options.first_packet_timeout,
                     message_moved_);
    case Kind::kRoom:
      return TryMove(room_, now, options.send_stall_timeout, send_moved_);
    case Kind::kNone:
    case Kind::kStop:
    case Kind::kIdle:
      return false;
  }
  return false;
}

bool Deadlines::TryMove(TimePoint& deadline, TimePoint now, Duration length, bool& moved) noexcept {
  const Duration late = now - deadline;
  if (late <= kLate || std::exchange(moved, true)) return false;
  deadline = Later(now, std::min(late, length));
  return true;
}

bool Deadlines::LookFirst() noexcept {
  if (look_ == Look::kNone) look_ = Look::kAsked;
  return look_ == Look::kAsked;
}

void Deadlines::Looked() noexcept {
  if (look_ == Look::kAsked) look_ = Look::kDone;
}

}  // namespace netcore
