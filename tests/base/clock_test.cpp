// Converting and adding durations of any size: nothing overflows, and never is never.
#include "netcore/base/clock.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <random>
#include <ratio>

#include "netcore/base/duration_check.h"
#include "tests/support/catch.h"

namespace netcore {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Picoseconds = std::chrono::duration<std::int64_t, std::pico>;
using UnsignedMilliseconds = std::chrono::duration<std::uint64_t, std::milli>;
using UnsignedPicoseconds = std::chrono::duration<std::uint64_t, std::pico>;
using Frames = std::chrono::duration<std::int64_t, std::ratio<1, 60>>;
using Seconds = std::chrono::duration<double>;
using FloatSeconds = std::chrono::duration<float>;
using LongMilliseconds = std::chrono::duration<long double, std::milli>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();
constexpr TimePoint kNow(hours(1));

// The greatest count of milliseconds that goes into nanoseconds, and what is left of them.
constexpr std::int64_t kMostMillis = INT64_MAX / 1'000'000;

static_assert(kForever == milliseconds::max());

static_assert(ToDuration(milliseconds(5)) == milliseconds(5));
static_assert(ToDuration(milliseconds(-5)) == milliseconds(-5));
static_assert(ToDuration(hours(0)) == Duration::zero());
static_assert(ToDuration(kForever) == Duration::max());
static_assert(ToDuration(kForever - milliseconds(1)) == Duration::max());
static_assert(ToDuration(milliseconds::min()) == Duration::min());
static_assert(ToDuration(hours::max()) == Duration::max());
static_assert(ToDuration(hours::min()) == Duration::min());
static_assert(ToDuration(std::chrono::years::max()) == Duration::max());
static_assert(ToDuration(milliseconds(kMostMillis)) == Duration(kMostMillis * 1'000'000));
static_assert(ToDuration(milliseconds(kMostMillis + 1)) == Duration::max());
static_assert(ToDuration(milliseconds(-kMostMillis)) == Duration(-kMostMillis * 1'000'000));
static_assert(ToDuration(milliseconds(-kMostMillis - 1)) == Duration::min());

// What is in nanoseconds already stays as it is.
static_assert(ToDuration(Duration::max()) == Duration::max());
static_assert(ToDuration(Duration::max() - Duration(1)) == Duration::max() - Duration(1));
static_assert(ToDuration(Duration::min()) == Duration::min());
static_assert(ToDuration(Duration::min() + Duration(1)) == Duration::min() + Duration(1));

static_assert(ToDuration(UnsignedMilliseconds(7)) == milliseconds(7));
static_assert(ToDuration(UnsignedMilliseconds::max()) == Duration::max());
static_assert(ToDuration(std::chrono::duration<std::int8_t>(-3)) == std::chrono::seconds(-3));
static_assert(ToDuration(std::chrono::duration<std::uint32_t>(4'000'000'000U)) ==
              std::chrono::seconds(4'000'000'000));

// Periods that are no whole number of nanoseconds are rounded towards zero.
static_assert(ToDuration(Picoseconds(1'999)) == Duration(1));
static_assert(ToDuration(Picoseconds(-1'999)) == Duration(-1));
static_assert(ToDuration(Picoseconds::max()) == Duration(INT64_MAX / 1'000));
static_assert(ToDuration(Picoseconds::min()) == Duration(INT64_MIN / 1'000));
static_assert(ToDuration(UnsignedPicoseconds::max()) == Duration(UINT64_MAX / 1'000));
static_assert(ToDuration(Frames(60)) == std::chrono::seconds(1));
static_assert(ToDuration(Frames(1)) == Duration(16'666'666));
static_assert(ToDuration(Frames(-1)) == Duration(-16'666'666));
static_assert(ToDuration(Frames::max()) == Duration::max());
static_assert(ToDuration(Frames::min()) == Duration::min());

static_assert(ToDuration(Seconds(0.25)) == milliseconds(250));
static_assert(ToDuration(Seconds(0.3)) == milliseconds(300));
static_assert(ToDuration(Seconds(-0.25)) == milliseconds(-250));
static_assert(ToDuration(Seconds(kInfinity)) == Duration::max());
static_assert(ToDuration(Seconds(-kInfinity)) == Duration::min());
static_assert(ToDuration(Seconds(kNoNumber)) == Duration::zero());
static_assert(ToDuration(Seconds::max()) == Duration::max());
static_assert(ToDuration(Seconds::min()) == Duration::min());
static_assert(ToDuration(Seconds(9223372036.8547758)) == Duration::max());
static_assert(ToDuration(Seconds(-9223372036.8547758)) == Duration::min());
static_assert(ToDuration(Seconds(9.2e9)) == std::chrono::seconds(9'200'000'000));
static_assert(ToDuration(FloatSeconds(0.5F)) == milliseconds(500));
static_assert(ToDuration(FloatSeconds::max()) == Duration::max());
static_assert(ToDuration(LongMilliseconds(1.5L)) == microseconds(1'500));
static_assert(ToDuration(LongMilliseconds::max()) == Duration::max());

static_assert(Later(kNow, milliseconds(5)) == kNow + milliseconds(5));
static_assert(Later(kNow, milliseconds(-5)) == kNow - milliseconds(5));
static_assert(Later(kNow, Duration::zero()) == kNow);
static_assert(Later(kNow, kForever) == kNever);
static_assert(Later(kNow, Duration::max()) == kNever);
static_assert(Later(kNow, milliseconds::min()) == TimePoint(Duration::min() + hours(1)));

// A time before the clock's beginning is a time too.
static_assert(Later(TimePoint(hours(-1)), Duration::max() - Duration(1)) ==
              TimePoint(Duration::max() - Duration(1) - hours(1)));
static_assert(Later(TimePoint(hours(-1)), Duration::max()) == kNever);
static_assert(Later(TimePoint(hours(-1)), Duration::min()) == kNoWait);
static_assert(Later(TimePoint(hours(-1)), milliseconds::min()) == kNoWait);
static_assert(Later(kNoWait, Duration(-1)) == kNoWait);
static_assert(Later(kNoWait, Duration(1)) == kNoWait + Duration(1));

// Never moves to no other time.
static_assert(Later(kNever, milliseconds(5)) == kNever);
static_assert(Later(kNever, milliseconds(-5)) == kNever);
static_assert(Later(kNever, Duration::min()) == kNever);
static_assert(Later(kNever - Duration(1), Duration(1)) == kNever);
static_assert(Later(kNever - Duration(2), Duration(1)) == kNever - Duration(1));

// The same at run time, for the sanitizers, and against numbers that do not overflow so soon.
TEST_CASE("durations of any size are converted and added without an overflow", "[clock]") {
  const std::uint32_t seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const auto draw = [&] { return static_cast<std::int64_t>(random()) >> (random() % 64); };
  const auto clamp = [](double value) {
    return value >= 0x1p63 ? 0x1p63 : value <= -0x1p63 ? -0x1p63 : value;
  };
  for (int i = 0; i < 100'000; ++i) {
    const std::int64_t count = draw();
    const TimePoint now{Duration(draw())};
    const auto close = [](double is, double expected) {
      return is >= expected - 4096 && is <= expected + 4096;  // of what a double can tell
    };
    const Duration by = ToDuration(milliseconds(count));
    if (!close(static_cast<double>(by.count()), clamp(static_cast<double>(count) * 1e6)))
      FAIL(count << " ms are " << by.count());
    if (ToDuration(hours(count / 3'600'000)) > ToDuration(milliseconds(INT64_MAX))) FAIL(count);
    const TimePoint later = Later(now, by);
    const double sum =
        static_cast<double>(now.time_since_epoch().count()) + static_cast<double>(by.count());
    if (by == Duration::max() || now == kNever) {
      if (later != kNever) FAIL(count << " ms later is not never");
    } else if (!close(static_cast<double>(later.time_since_epoch().count()), clamp(sum))) {
      FAIL(count << " ms after " << now.time_since_epoch().count());
    }
  }
}

TEST_CASE("a negative option is an error that says kind, name and value", "[clock]") {
  CHECK_FALSE(CheckDurations("core", {}));
  CHECK_FALSE(CheckDurations("core", {{"a", milliseconds(0)}, {"b", kForever}}));
  const Error error =
      CheckDurations("core", {{"a", milliseconds(0)}, {"b", milliseconds(-1)}, {"c", -kForever}});
  CHECK(error == ErrorCode::kInvalidArgument);
  CHECK(error.Message() ==
        "core option b is -1 ms, and must be 0 (no limit) or more: invalid argument");
  CHECK(CheckDurations("core", {{"d", milliseconds::min()}})
            .Message()
            .find("core option d is -9223372036854775808 ms") == 0);
}

}  // namespace
}  // namespace netcore
