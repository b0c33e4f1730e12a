#include "netcore/port/linux/wait_timer.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>

#include "netcore/port/linux/linux_sockets.h"

namespace netcore::linux_port {
namespace {

// To set the timer is a system call of its own.
constexpr Duration kWorthwhile = std::chrono::milliseconds(50);

}  // namespace

WaitTimer::~WaitTimer() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Error WaitTimer::Create() {
  // steady_clock's clock, so that its times can be set as they are.
  descriptor_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  return descriptor_ < 0 ? ErrorFromErrno(errno, "timerfd") : Error();
}

Duration WaitTimer::LeftUntil(TimePoint deadline) noexcept {
  if (deadline == kNoWait) return Duration::zero();
  if (deadline == kNever || IsSetBy(deadline)) return Duration::max();
  const TimePoint now = std::chrono::steady_clock::now();
  if (deadline <= now) return Duration::zero();
  const Duration left = deadline - now;
  return left >= kWorthwhile && Set(deadline) ? Duration::max() : left;
}

bool WaitTimer::Set(TimePoint deadline) noexcept {
  const Duration time = deadline.time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  itimerspec setting{};
  setting.it_value.tv_sec = seconds.count();
  setting.it_value.tv_nsec = (time - seconds).count();
  if (::timerfd_settime(descriptor_, TFD_TIMER_ABSTIME, &setting, nullptr) != 0) return false;
  set_for_ = deadline;
  return true;
}

void WaitTimer::Clear() noexcept {
  std::uint64_t count;
  if (::read(descriptor_, &count, sizeof count) == sizeof count) set_for_ = kNever;
}

}  // namespace netcore::linux_port
