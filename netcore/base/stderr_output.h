// What the built-in log needs of the operating system. base/ has no system header: the folder of
// the port defines these functions.
#pragma once

#include <string_view>

namespace netcore {

/// Writes all of `text` to the process's stderr, and waits for as long as that takes: for ever if
/// stderr is a full pipe that is not read. Text that can't be written is lost. Holds no lock of
/// stdio meanwhile, so that neither std::exit nor a std::fprintf of another thread waits for it.
/// Threads: any; texts of several threads do not mix if each is one call.
void WriteToStderr(std::string_view text) noexcept;

/// Called first on a thread that does nothing but write to stderr: no signal handler of the user's
/// runs on it, and a pipe that nobody holds open any more does not end the process.
void PrepareStderrThread() noexcept;

/// Calls `handler` in the child after each fork, where the system has that.
void CallInForkedChild(void (*handler)()) noexcept;

/// Calls `handler` when the process ends by std::exit, by a return from main or, on Linux, by
/// std::quick_exit.
void CallAtExit(void (*handler)()) noexcept;

}  // namespace netcore
