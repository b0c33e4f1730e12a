// LogLimit: keeps a kind of log line that a peer can provoke to one line an interval. Reads no
// clock, so that a simulation stays the same.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "netcore/base/clock.h"

namespace netcore {

/// Decides whether a line of one kind is written now, and counts those that are not. The first line
/// is always written. Lines that are suppressed after the last one that was written are never told.
///
///     if (const auto suppressed = limit.Take(worker.Now())) {
///       // Write the line. Say in it that *suppressed others came since the one before, if any.
///     }
///
/// Owns: nothing; needs no memory. Threads: any, several at once. All calls for one limit pass
/// times of the same clock.
class LogLimit {
 public:
  static constexpr Duration kInterval = std::chrono::seconds(1);

  /// Allows one line in each `interval`, counted from the last line that was allowed.
  explicit LogLimit(Duration interval = kInterval) noexcept : interval_(interval) {}
  LogLimit(const LogLimit&) = delete;
  LogLimit& operator=(const LogLimit&) = delete;

  /// If a line may be written at `now`, returns how many lines were suppressed since the last one;
  /// otherwise counts this one as suppressed and returns nothing. No call is counted twice or lost:
  /// all that was ever returned, the lines that were allowed and what is still to be told add up to
  /// the number of calls.
  std::optional<std::uint64_t> Take(TimePoint now) noexcept {
    Ticks next = next_.load(std::memory_order_relaxed);
    if (now.time_since_epoch().count() < next ||
        !next_.compare_exchange_strong(next, Later(now, interval_).time_since_epoch().count(),
                                       std::memory_order_relaxed)) {
      suppressed_.fetch_add(1, std::memory_order_relaxed);
      return std::nullopt;
    }
    return suppressed_.exchange(0, std::memory_order_relaxed);
  }

 private:
  using Ticks = Duration::rep;

  const Duration interval_;
  std::atomic<Ticks> next_{kNoWait.time_since_epoch().count()};  // no line is allowed before it
  std::atomic<std::uint64_t> suppressed_{0};
};

}  // namespace netcore
