// One flag, because a signal handler has nothing but globals.
#include "common/stop_signal.h"

#include <chrono>
#include <csignal>
#include <thread>

namespace samples {
namespace {

constexpr std::chrono::milliseconds kLookEvery{50};

volatile std::sig_atomic_t stop_requested = 0;

extern "C" void HandleStopSignal(int) { stop_requested = 1; }

}  // namespace

void CatchStopSignals() {
  std::signal(SIGINT, HandleStopSignal);
  std::signal(SIGTERM, HandleStopSignal);
}

bool StopRequested() noexcept { return stop_requested != 0; }

void WaitForStopSignal() {
  while (!StopRequested()) std::this_thread::sleep_for(kLookEvery);
}

}  // namespace samples
