// Ctrl-C and SIGTERM as a question that main asks, which is all that may safely be done with a
// signal.
#pragma once

namespace samples {

/// From now on Ctrl-C and SIGTERM, on Windows Ctrl-C and Ctrl-Break, only make StopRequested true.
void CatchStopSignals();

bool StopRequested() noexcept;

/// As if a signal had come. Threads: any.
void RequestStop() noexcept;

/// Sleeps until StopRequested has become true.
void WaitForStopSignal();

}  // namespace samples
