// Waiting for a condition variable until a deadline of any size.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "netcore/base/clock.h"

namespace netcore {

/// Waits until `changed` is notified or `deadline` has passed; kNever is never. May return sooner,
/// at the latest after a day: the caller looks again at what it waits for, and at the clock. `lock`
/// holds a mutex. A standard library may compute with the deadline in another clock's time, where a
/// distant one overflows, so it is given a near one.
inline void WaitUntil(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                      TimePoint deadline) {
  constexpr std::chrono::hours kLongestWait{24};
  if (deadline == kNever) return changed.wait(lock);
  const TimePoint now = std::chrono::steady_clock::now();
  if (deadline > now) changed.wait_until(lock, std::min(deadline, Later(now, kLongestWait)));
}

}  // namespace netcore
