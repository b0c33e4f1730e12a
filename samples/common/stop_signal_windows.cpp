// An event. Not an atomic's wait: without a futex libstdc++ may lose the wake-up, for it looks at
// the value before it takes the lock that it sleeps with (GCC 12, bits/atomic_wait.h).
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>

#include <system_error>

#include "common/stop_signal.h"

namespace samples {
namespace {

HANDLE CreateStopEvent() {
  const HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  if (event == nullptr) {
    throw std::system_error(static_cast<int>(GetLastError()), std::system_category(), "event");
  }
  return event;
}

// Never closed: Windows calls the handler on a thread of its own, up to the end of the process.
const HANDLE kStopEvent = CreateStopEvent();

BOOL WINAPI HandleControl(DWORD event) {
  if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) return FALSE;
  RequestStop();
  return TRUE;
}

}  // namespace

void CatchStopSignals() { SetConsoleCtrlHandler(HandleControl, TRUE); }

bool StopRequested() noexcept { return WaitForSingleObject(kStopEvent, 0) == WAIT_OBJECT_0; }

void RequestStop() noexcept { SetEvent(kStopEvent); }

void WaitForStopSignal() { WaitForSingleObject(kStopEvent, INFINITE); }

}  // namespace samples
