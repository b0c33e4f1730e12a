// Says that a test case leaves a part of itself out, for want of something on this machine.
#pragma once

#include <cstdio>
#include <string>

namespace netcore {

/// Prints that the running test case left something untested, and why. The case goes on or returns
/// as the caller likes. scripts/test counts a case that passed so as skipped, and run as root it
/// counts it as failed. Catch2's own SKIP is in its version 3 only.
inline void NoteSkipped(const std::string& reason) {
  std::printf("\nskipped: %s\n", reason.c_str());
  std::fflush(stdout);
}

}  // namespace netcore
