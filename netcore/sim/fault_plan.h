// FaultPlan: what goes wrong in a simulation, how often, and how often it did. Knows no socket and
// no port: they ask it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "netcore/base/clock.h"
#include "netcore/sim/sim_random.h"

namespace netcore {

enum class Fault : std::uint8_t {
  kShortSend,           // a send goes on later with what is left, down to one byte a time
  kShortRecv,           // a recv brings less than there is, down to one byte
  kLateBytes,           // bytes, FIN or RST take their time from one end to the other
  kStalledPeer,         // a receiver sees nothing for seconds
  kLateCompletion,      // what is done is told later
  kReordered,           // what is done last is told first, across operations
  kEmptyRing,           // a port has no buffer to lend: all its recv streams wait
  kPeerFin,             // the stream ends in the middle, as when its peer's process ends
  kPeerReset,           // the connection is reset: in the backlog, idle, or with bytes on the way
  kAcceptAborted,       // the peer was gone before its accept
  kAcceptTooManyFiles,  // no descriptors
  kAcceptNoBuffers,     // no memory in the system
  kConnectRefused,      //
  kConnectTimedOut,     // nothing is heard of the connect for seconds
  kCancelLost,          // a cancelled operation succeeds all the same, if it can
  kCancelLate,          // a cancelled operation completes later
  kHandleReused,        // a socket gets the handle, or the port, of one that was just closed
  kAdoptFailed,         // a port has no memory for one more socket
  kClockJump,           // the clock leaps over some deadlines
  kNoMemory,            // an allocation fails; the test program does that (SimMemory)
};

inline constexpr std::size_t kFaultCount = 20;

/// "short send", "late bytes", ...
std::string_view ToString(Fault fault) noexcept;

/// Draws how likely each fault is first of all, zero for about half of them: a run in which
/// everything fails at once finds less than many runs that differ.
///
/// Lifetime: outlives all that ask it. Threads: one.
class FaultPlan {
 public:
  using Counts = std::array<std::uint64_t, kFaultCount>;

  /// No faults until DrawRates or SetRate.
  explicit FaultPlan(SimRandom& random) noexcept : random_(random) {}
  FaultPlan(const FaultPlan&) = delete;
  FaultPlan& operator=(const FaultPlan&) = delete;

  void DrawRates() noexcept;

  /// `rate` from 0 to 1: how often it happens where it can.
  void SetRate(Fault fault, double rate) noexcept;

  /// From now on nothing goes wrong. What was delayed comes when it is due.
  void Stop() noexcept { rates_.fill(0); }

  /// Whether it happens here and now; counts if so.
  bool Happens(Fault fault) noexcept;

  /// Counts one that somebody else made happen.
  void Count(Fault fault) noexcept { ++counts_[static_cast<std::size_t>(fault)]; }

  /// How long something is late: mostly little, at most kLongestDelay.
  Duration DrawDelay() noexcept;
  Duration DrawStall() noexcept;

  /// From 1 to `size` - 1, mostly little; `size` if it is 1.
  std::size_t DrawShort(std::size_t size) noexcept;

  const Counts& GetCounts() const noexcept { return counts_; }
  std::uint64_t CountOf(Fault fault) const noexcept {
    return counts_[static_cast<std::size_t>(fault)];
  }
  std::uint64_t Total() const noexcept;

  static constexpr Duration kLongestDelay = std::chrono::milliseconds(80);
  static constexpr Duration kLongestStall = std::chrono::seconds(4);

 private:
  SimRandom& random_;
  std::array<std::uint32_t, kFaultCount> rates_{};  // of 2^32
  Counts counts_{};
};

}  // namespace netcore
