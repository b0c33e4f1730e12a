// Stderr, by its descriptor: a blocked std::fwrite would keep the stream's lock.
#include <io.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include "netcore/base/stderr_output.h"

namespace netcore {
namespace {

constexpr std::size_t kMostAtOnce = 64 * 1024;  // the count of _write is an unsigned int

}  // namespace

void WriteToStderr(std::string_view text) noexcept {
  const int descriptor = ::_fileno(stderr);
  if (descriptor < 0) return;  // a program without a console
  while (!text.empty()) {
    const auto size = static_cast<unsigned int>(std::min(text.size(), kMostAtOnce));
    const int written = ::_write(descriptor, text.data(), size);
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void PrepareStderrThread() noexcept {}

void CallInForkedChild(void (*)()) noexcept {}

// std::at_quick_exit is not there in the msvcrt.dll that MinGW may link.
void CallAtExit(void (*handler)()) noexcept { static_cast<void>(std::atexit(handler)); }

}  // namespace netcore
