// One flag, because a signal handler has nothing but globals.
#include <atomic>
#include <csignal>

#include "common/stop_signal.h"

namespace samples {
namespace {

// Lock-free, and so allowed in a signal handler, notify included ([support.signal]). An int,
// because that is what futex waits on.
std::atomic<int> stop_requested{0};
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void HandleStopSignal(int) { RequestStop(); }

}  // namespace

void CatchStopSignals() {
  std::signal(SIGINT, HandleStopSignal);
  std::signal(SIGTERM, HandleStopSignal);
}

bool StopRequested() noexcept { return stop_requested != 0; }

void RequestStop() noexcept {
  stop_requested = 1;
  stop_requested.notify_all();
}

void WaitForStopSignal() { stop_requested.wait(0); }

}  // namespace samples
