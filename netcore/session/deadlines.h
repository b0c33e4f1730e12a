// Deadlines: until when a connection waits for its peer, as a value. Knows times and options; knows
// no clock, no timer and no port.
#pragma once

#include <chrono>
#include <cstdint>

#include "netcore/base/clock.h"
#include "netcore/session/close_info.h"
#include "netcore/session/session_options.h"

namespace netcore {

/// What a connection waits for now, and therefore which deadlines count.
struct Awaited {
  bool bytes = false;  // the peer may send: it is not paused and has not closed
  bool room = false;   // a send is with the system
};

/// Time that the library or its user has spent is not the peer's fault. So a deadline that is found
/// due is judged in two steps: the connection looks whether its own socket has brought something
/// already, and a deadline that is found late by more than kLate, because nobody looked at the
/// clock, moves by as much, once, and at most by its own length.
///
/// Threads: one.
class Deadlines {
 public:
  /// A round that takes longer than this, or a process that was stopped, has taken time from its
  /// peers. Rounds of a busy worker are shorter.
  static constexpr Duration kLate = std::chrono::milliseconds(50);

  enum class Kind : std::uint8_t {
    kNone,
    kStop,     // of the service: hard
    kEnd,      // of a connect, or of a graceful end
    kRoom,     // of a send
    kMessage,  // of the first message, or of one that has begun
    kIdle,
  };

  void BeginConnect(TimePoint now, std::chrono::milliseconds timeout) noexcept;

  /// The connection is open. `first_message`: zero where none is asked for.
  void Open(TimePoint now, std::chrono::milliseconds first_message) noexcept;

  void Received(TimePoint now) noexcept { last_recv_ = now; }
  void Pause(TimePoint now) noexcept { paused_at_ = now; }

  /// The time of the pause does not count.
  void Resume(TimePoint now) noexcept;

  /// A message has begun that is not whole; false if one had already, which then goes on.
  bool BeginMessage(TimePoint now, std::chrono::milliseconds limit) noexcept;
  void EndMessage() noexcept;
  bool IsInMessage() const noexcept { return in_message_; }

  void BeginSend(TimePoint now, std::chrono::milliseconds stall_limit) noexcept;

  /// A graceful end has begun; the earlier of two deadlines stands.
  void BeginEnd(TimePoint now, std::chrono::milliseconds limit) noexcept;
  void StopBy(TimePoint deadline) noexcept;

  TimePoint Next(const SessionOptions& options, Awaited awaited) const noexcept;

  /// The deadline that is due at `now`, the most urgent one if there are several.
  Kind Due(TimePoint now, const SessionOptions& options, Awaited awaited) const noexcept;

  /// True: `due`, which Due has said, was found late, for the first time, and has been moved.
  bool Postpone(Kind due, TimePoint now, const SessionOptions& options) noexcept;

  /// A message's deadline is due while bytes lie unread: what comes next is looked at before it is
  /// judged. False if that was done already.
  bool LookFirst() noexcept;

  /// Bytes have been handed to the session since LookFirst.
  void Looked() noexcept;

  /// Why the connection ends when a message's deadline has passed.
  CloseReason MessageReason() const noexcept { return message_reason_; }

 private:
  // Never, where there is no limit: zero or kForever.
  static TimePoint After(TimePoint time, std::chrono::milliseconds limit) noexcept {
    return limit > std::chrono::milliseconds::zero() ? Later(time, limit) : kNever;
  }

  // How far the judgement of a message's deadline is.
  enum class Look : std::uint8_t { kNone, kAsked, kDone };

  bool TryMove(TimePoint& deadline, TimePoint now, Duration length, bool& moved) noexcept;

  TimePoint last_recv_ = {};
  TimePoint paused_at_ = {};
  TimePoint room_ = kNever;  // of the pending send
  TimePoint message_ = kNever;
  TimePoint end_ = kNever;
  TimePoint stop_ = kNever;
  std::chrono::milliseconds end_length_{0};
  CloseReason message_reason_ = CloseReason::kFirstPacketTimeout;
  bool in_message_ = false;
  bool message_moved_ = false;
  bool send_moved_ = false;
  bool end_moved_ = false;
  Look look_ = Look::kNone;
};

}  // namespace netcore
