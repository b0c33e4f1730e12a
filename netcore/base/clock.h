// The time that deadlines are made of. Monotonic; a simulated port brings its own, so nobody else
// reads a clock. Durations of the user's enter through ToDuration and Later, which do not overflow.
#pragma once

#include <chrono>
#include <cstdint>
#include <ratio>
#include <type_traits>
#include <utility>

namespace netcore {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

/// A duration without an end: as a time-out or a limit it is none, as a delay it never passes.
inline constexpr std::chrono::milliseconds kForever = std::chrono::milliseconds::max();

inline constexpr TimePoint kNever = TimePoint::max();

/// As a deadline: do not wait. No clock says it.
inline constexpr TimePoint kNoWait = TimePoint::min();

/// Converts any duration to nanoseconds, rounded towards zero. What is beyond 292 years, such as
/// kForever, becomes Duration::max(), or Duration::min() if it is negative. A floating-point
/// duration that is no number becomes zero.
template <typename Rep, typename Period>
constexpr Duration ToDuration(std::chrono::duration<Rep, Period> time) noexcept {
  static_assert(std::is_arithmetic_v<Rep>);
  using Factor = std::ratio_divide<Period, Duration::period>;
  if constexpr (std::is_floating_point_v<Rep>) {
    using Real = std::common_type_t<Rep, double>;
    constexpr Real kBound = 9223372036854775808.0;  // 2^63: the first one that is too large
    constexpr auto kMultiplier = static_cast<Real>(Factor::num);
    constexpr auto kDivisor = static_cast<Real>(Factor::den);
    constexpr Real kMost = kBound / kMultiplier * kDivisor;
    const Real count = time.count();
    if (count >= kMost) return Duration::max();
    if (count <= -kMost) return Duration::min();
    if (!(count > -kMost)) return Duration::zero();  // no number
    const Real converted = count * kMultiplier / kDivisor;
    if (converted >= kBound) return Duration::max();
    if (converted <= -kBound) return Duration::min();
    return Duration(static_cast<Duration::rep>(converted));
  } else if constexpr (Factor::den == 1) {
    constexpr Duration::rep kMost = Duration::max().count() / Factor::num;
    if (std::cmp_greater(time.count(), kMost)) return Duration::max();
    if (std::cmp_less(time.count(), -kMost)) return Duration::min();
    return Duration(static_cast<Duration::rep>(time.count()) * Factor::num);
  } else {
    constexpr auto kMost = static_cast<std::uint64_t>(Duration::max().count());
    constexpr auto kMultiplier = static_cast<std::uint64_t>(Factor::num);
    constexpr auto kDivisor = static_cast<std::uint64_t>(Factor::den);
    static_assert(kMultiplier <= kMost / kDivisor, "a period that does not go into nanoseconds");
    const bool is_negative = std::cmp_less(time.count(), 0);
    auto size = static_cast<std::uint64_t>(time.count());
    if (is_negative) size = std::uint64_t{0} - size;
    const Duration most = is_negative ? Duration::min() : Duration::max();
    if (size / kDivisor > kMost / kMultiplier) return most;
    const std::uint64_t converted =
        size / kDivisor * kMultiplier + size % kDivisor * kMultiplier / kDivisor;
    if (converted > kMost) return most;
    const auto result = static_cast<Duration::rep>(converted);
    return Duration(is_negative ? -result : result);
  }
}

/// Returns the time that is `by` after `now`, or before it if `by` is negative. Returns kNever if
/// `now` is kNever, if `by` is kForever, and where time does not reach so far; kNoWait where it
/// does not reach so far back.
template <typename Rep, typename Period>
constexpr TimePoint Later(TimePoint now, std::chrono::duration<Rep, Period> by) noexcept {
  const Duration step = ToDuration(by);
  if (now == kNever || step == Duration::max()) return kNever;
  if (step >= Duration::zero()) return now > kNever - step ? kNever : now + step;
  return now < kNoWait - step ? kNoWait : now + step;
}

}  // namespace netcore
