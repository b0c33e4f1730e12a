// Log: where the library's own lines go. The host sets the sink; without one, they go to
// stderr.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace netcore {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError, kNone };

std::string_view ToString(LogLevel level) noexcept;

/// Called with one line, without its end. The line is valid UTF-8 without control characters and
/// some 8 KiB long at the most: see Log::Write. Threads: any, several at once: the calling one is
/// the one that logs, so a sink that blocks blocks a worker. No lock of the library's is held: the
/// sink may ask the core or the service that logs, but must not stop them. What it throws is
/// dropped.
using LogSink = std::function<void(LogLevel level, std::string_view line)>;

/// Where lines go: to the host's sink or, without one, to stderr as "netcore: LEVEL: LINE".
///
/// Lines to stderr are written by a thread of their own, which all Logs of the process share and
/// which the first line starts. It holds up to 1,000 lines. If stderr is not read, as with a full
/// pipe, further lines are dropped, and once it is read again a line says how many. A process that
/// exits (std::exit, a return from main) waits up to 1 s for the lines that are held; one that ends
/// otherwise, by std::abort or a signal, may lose the latest ones. The message of a failed
/// NETCORE_ASSERT comes after them, within that second.
///
/// Lines that a peer can cause again and again (exceptions that leave hooks and factories, slow
/// hooks) are written at most once a second each kind, slow hooks and slow jobs once a second each
/// thread that runs them; the next line says how many were left out.
/// The level kDebug is exempt: it tells each session's beginning and end.
///
/// Stderr is whatever the descriptor 2 is: a program that closes it gives that number to its next
/// socket or file, which then gets the lines. Redirect it to /dev/null instead.
///
/// Owns: the sink. Lifetime: shared by all that logs. Threads: any.
class Log {
 public:
  /// Lines below `lowest` are dropped before they are made. An empty sink means stderr.
  explicit Log(LogSink sink = {}, LogLevel lowest = LogLevel::kWarning);

  bool Enabled(LogLevel level) const noexcept { return level >= lowest_; }

  /// Passes `line` on if `level` is wanted. Never throws, and never blocks unless the sink does.
  /// What goes out is one line, whatever text it holds, as it may hold what a peer sent: control
  /// characters (C0 with tabs and line breaks, DEL, C1), line and paragraph separators (U+2028,
  /// U+2029), characters that change the direction of text (U+202A to U+202E, U+2066 to U+2069) and
  /// bytes that are not valid UTF-8 are replaced with \xNN for each byte. All else stays byte for
  /// byte, also a backslash, so a line can't be decoded. Beyond 8 KiB it is cut, which its end
  /// says.
  void Write(LogLevel level, std::string_view line) const noexcept;

 private:
  friend class LogDelay;

  void Deliver(LogLevel level, std::string_view line) const noexcept;

  LogSink sink_;
  LogLevel lowest_;
};

}  // namespace netcore
