#include "netcore/base/log_delay.h"

#include <exception>

namespace netcore {
namespace {

constinit thread_local LogDelay* outermost_delay = nullptr;

}  // namespace

LogDelay::LogDelay() noexcept {
  if (outermost_delay == nullptr) outermost_delay = this;
}

LogDelay::~LogDelay() {
  if (outermost_delay != this) return;
  outermost_delay = nullptr;
  for (const Line& line : lines_) line.log->Deliver(line.level, line.text);
}

LogDelay* LogDelay::Current() noexcept { return outermost_delay; }

bool LogDelay::Keep(const Log& log, LogLevel level, std::string_view line) noexcept {
  try {
    lines_.push_back({&log, level, std::string(line)});
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace netcore
