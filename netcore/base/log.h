// Log: where the library's own lines go. The host sets the sink; without one, warnings and errors
// go to stderr.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace netcore {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError, kNone };

std::string_view ToString(LogLevel level) noexcept;

/// Called with one line without its end. Threads: any, several at once. What it throws is dropped.
using LogSink = std::function<void(LogLevel level, std::string_view line)>;

/// Owns: the sink. Lifetime: shared by all that logs. Threads: any.
class Log {
 public:
  /// Lines below `lowest` are dropped before they are made. An empty sink means stderr.
  explicit Log(LogSink sink = {}, LogLevel lowest = LogLevel::kWarning);

  bool Enabled(LogLevel level) const noexcept { return level >= lowest_; }

  /// Never throws.
  void Write(LogLevel level, std::string_view line) const noexcept;

 private:
  LogSink sink_;
  LogLevel lowest_;
};

}  // namespace netcore
