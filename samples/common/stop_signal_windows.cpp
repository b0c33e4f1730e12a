// An event. Not an atomic's wait: without a futex libstdc++ may lose the wake-up, for it looks at
// the value before it takes the lock that it sleeps with (GCC 12, bits/atomic_wait.h).
#include "common/stop_signal.h"
#include "common/windows_event.h"

namespace samples {
namespace {

// Never closed: Windows calls the handler on a thread of its own, up to the end of the process.
const HANDLE kStopEvent = CreateLastingEvent();

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
