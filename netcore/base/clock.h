// The time that deadlines are made of. Monotonic; a simulated port brings its own, so nobody else
// reads a clock.
#pragma once

#include <chrono>

namespace netcore {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

inline constexpr TimePoint kNever = TimePoint::max();

/// As a deadline: do not wait. No clock says it.
inline constexpr TimePoint kNoWait = TimePoint::min();

/// `by` after `now`; kNever where time does not reach so far.
constexpr TimePoint Later(TimePoint now, Duration by) noexcept {
  return by < kNever - now ? now + by : kNever;
}

}  // namespace netcore
