// Filters lines, shields their writers from the sink, and writes to stderr where there is none.
#include "netcore/base/log.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <utility>

#include "netcore/base/exit_watch.h"

namespace netcore {
namespace {

constexpr std::size_t kLongestLine = 64 * 1024;

// One call a line, so that lines of several threads don't mix; no memory, so that it can't fail.
void WriteToStderr(LogLevel level, std::string_view line) noexcept {
  const std::string_view name = ToString(level);
  std::fprintf(stderr, "netcore: %.*s: %.*s\n", static_cast<int>(name.size()), name.data(),
               static_cast<int>(std::min(line.size(), kLongestLine)), line.data());
}

}  // namespace

std::string_view ToString(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
    case LogLevel::kNone:
      return "none";
  }
  return "none";
}

Log::Log(LogSink sink, LogLevel lowest) : sink_(std::move(sink)), lowest_(lowest) {}

void Log::Write(LogLevel level, std::string_view line) const noexcept {
  if (!Enabled(level)) return;
  if (!sink_) {
    WriteToStderr(level, line);
    return;
  }
  const ExitWatch watch;
  try {
    sink_(level, line);
  } catch (...) {  // a log that fails must not end what it tells of
  }
}

}  // namespace netcore
