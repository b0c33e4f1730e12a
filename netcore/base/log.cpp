// Filters lines, makes them safe to show, and shields their writers from the sink.
#include "netcore/base/log.h"

#include <exception>
#include <utility>

#include "netcore/base/exit_watch.h"
#include "netcore/base/log_delay.h"
#include "netcore/base/log_text.h"
#include "netcore/base/log_writer.h"

namespace netcore {

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
  if (IsLogLine(line)) return Deliver(level, line);
  try {
    Deliver(level, MakeLogLine(line));
  } catch (const std::exception&) {
    Deliver(level, "a log line could not be made");
  }
}

void Log::Deliver(LogLevel level, std::string_view line) const noexcept {
  LogDelay* const delay = LogDelay::Current();
  if (sink_ && delay != nullptr && delay->Keep(*this, level, line)) return;
  const ExitWatch watch;  // the sink may call std::exit
  try {
    if (sink_) {
      sink_(level, line);
    } else {
      LogWriter::OfStderr().Write(level, line);
    }
  } catch (...) {  // a log that fails must not end what it tells of
  }
}

}  // namespace netcore
