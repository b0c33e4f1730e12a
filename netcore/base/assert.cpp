// The end of a program that found a bug in itself.
#include "netcore/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace netcore::detail {

void AssertionFailed(const char* text, const char* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, text);
  std::fflush(stderr);
  std::abort();
}

}  // namespace netcore::detail
