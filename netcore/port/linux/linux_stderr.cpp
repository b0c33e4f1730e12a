// Stderr, by its descriptor: a blocked std::fwrite would keep the stream's lock, for which
// std::exit waits (glibc 2.41 and later).
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "netcore/base/stderr_output.h"

namespace netcore {

void WriteToStderr(std::string_view text) noexcept {
  const int descriptor = ::fileno(stderr);
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {  // another process made it non-blocking
      pollfd writable{descriptor, POLLOUT, 0};
      static_cast<void>(::poll(&writable, 1, -1));
    } else if (written == 0 || errno != EINTR) {
      return;
    }
  }
}

void PrepareStderrThread() noexcept {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

void CallInForkedChild(void (*handler)()) noexcept { ::pthread_atfork(nullptr, nullptr, handler); }

// A failure of these means that the last lines may be lost, which is no reason not to go on.
void CallAtExit(void (*handler)()) noexcept {
  static_cast<void>(std::atexit(handler));
  static_cast<void>(std::at_quick_exit(handler));
}

}  // namespace netcore
