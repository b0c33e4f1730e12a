// The time that deadlines are made of. Monotonic; a simulated port brings its own, so nobody else
// reads a clock.
#pragma once

#include <chrono>

namespace netcore {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

inline constexpr TimePoint kNever = TimePoint::max();

}  // namespace netcore
