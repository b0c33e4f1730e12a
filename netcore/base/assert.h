// NETCORE_ASSERT: a bug of ours or of the caller ends the program at the place where it is seen, in
// Release too. Faults of peers and of the system are values (base/error.h) and never come here.
#pragma once

namespace netcore::detail {

/// Prints "FILE:LINE: assertion failed: TEXT" to stderr and aborts.
[[noreturn]] void AssertionFailed(const char* text, const char* file, int line) noexcept;

}  // namespace netcore::detail

#define NETCORE_ASSERT(condition)     \
  ((condition) ? static_cast<void>(0) \
               : ::netcore::detail::AssertionFailed(#condition, __FILE__, __LINE__))
