// The end of a program that found a bug in itself.
#include "netcore/base/assert.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "netcore/base/log_writer.h"

namespace netcore::detail {

// By way of the log, so that the lines that led here come first, and so that a stderr that is not
// read does not keep the process from ending.
void AssertionFailed(const char* text, const char* file, int line) noexcept {
  std::array<char, 1024> words;
  std::snprintf(words.data(), words.size() - 1, "%s:%d: assertion failed: %s", file, line, text);
  try {
    LogWriter::OfStderr().WriteLast(words.data(), LogWriter::kExitLimit);
  } catch (const std::exception&) {  // no memory
    std::fprintf(stderr, "%s\n", words.data());
    std::fflush(stderr);
  }
  std::abort();
}

}  // namespace netcore::detail
