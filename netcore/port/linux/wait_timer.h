// WaitTimer: the end of long waits. Knows the kernel's clock; knows no port.
#pragma once

#include "netcore/base/clock.h"
#include "netcore/base/error.h"

namespace netcore::linux_port {

/// A wait that has an end costs the kernel a timer, started and stopped each time. A worker's next
/// deadline is mostly seconds away and moves on while it works; so here one timer, set for some
/// deadline, makes the end of all waits that last no less long, and whoever is woken too early
/// waits again.
///
/// Owns: a timerfd, readable when it has fired. Lifetime: its port's. Threads: one.
class WaitTimer {
 public:
  WaitTimer() = default;
  WaitTimer(const WaitTimer&) = delete;
  WaitTimer& operator=(const WaitTimer&) = delete;
  ~WaitTimer();

  [[nodiscard]] Error Create();

  int Descriptor() const noexcept { return descriptor_; }

  /// For how long a wait until `deadline` asks the system to wait: Duration::max() where this timer
  /// ends it, which it does by then, or sooner; nothing if the time has come. The clock is read
  /// only where that is not known without it.
  Duration LeftUntil(TimePoint deadline) noexcept;

  /// True: it is set for `deadline` or earlier, and was not found readable yet.
  bool IsSetBy(TimePoint deadline) const noexcept { return set_for_ <= deadline; }

  /// To be called when it is readable.
  void Clear() noexcept;

 private:
  bool Set(TimePoint deadline) noexcept;

  int descriptor_ = -1;
  TimePoint set_for_ = kNever;  // never: it is not set
};

}  // namespace netcore::linux_port
