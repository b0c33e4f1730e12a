// LogDelay: keeps log lines until locks are released. For netcore's own sources.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "netcore/base/log.h"

namespace netcore {

/// A sink is code of the user's, which may ask the object that logs: it must not run under a lock
/// of the library's. While a LogDelay is open on a thread, what this thread logs to a sink is kept,
/// and handed to the sink when the outermost one ends. So one is declared before each lock under
/// which something may be logged. Lines to stderr are not kept: no code of the user's runs for
/// them.
///
///     const LogDelay delay;
///     const std::lock_guard lock(mutex_);
///
/// Owns: the lines. Lifetime: the Logs that are written to outlive it. Threads: its own.
class LogDelay {
 public:
  LogDelay() noexcept;
  LogDelay(const LogDelay&) = delete;
  LogDelay& operator=(const LogDelay&) = delete;
  ~LogDelay();

 private:
  friend class Log;

  struct Line {
    const Log* log;
    LogLevel level;
    std::string text;
  };

  // The thread's outermost; null if none is open.
  static LogDelay* Current() noexcept;

  // False where memory is short.
  bool Keep(const Log& log, LogLevel level, std::string_view line) noexcept;

  std::vector<Line> lines_;
};

}  // namespace netcore
