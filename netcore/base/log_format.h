// Formatted log lines, for netcore's own sources: this header brings fmt, which the public ones do
// not.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "netcore/base/endpoint.h"
#include "netcore/base/error.h"
#include "netcore/base/log.h"
#include "netcore/base/log_limit.h"
#include "netcore/base/log_text.h"

namespace netcore {

/// Makes and writes the line if `level` is wanted. Never throws: where memory is short the line is
/// lost. Give it an Endpoint or an Error as it is: a text that the caller makes is made outside of
/// that promise.
template <typename... Args>
void WriteLog(const Log& log, LogLevel level, fmt::format_string<Args...> format,
              Args&&... args) noexcept {
  if (!log.Enabled(level)) return;
  try {
    log.Write(level, fmt::format(format, std::forward<Args>(args)...));
  } catch (const std::exception&) {
    log.Write(level, "a log line could not be made");
  }
}

/// Shows as " (N more like it)", and as nothing if N is zero.
struct MoreLikeIt {
  std::uint64_t count = 0;
};

}  // namespace netcore

template <>
struct fmt::formatter<netcore::Endpoint> : fmt::formatter<std::string_view> {
  auto format(const netcore::Endpoint& endpoint, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(endpoint.ToString(), context);
  }
};

template <>
struct fmt::formatter<netcore::Error> : fmt::formatter<std::string_view> {
  auto format(const netcore::Error& error, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(error.Message(), context);
  }
};

template <>
struct fmt::formatter<netcore::MoreLikeIt> : fmt::formatter<std::string_view> {
  auto format(const netcore::MoreLikeIt& more, fmt::format_context& context) const {
    if (more.count == 0) return context.out();
    return fmt::format_to(context.out(), " ({} more like it)", more.count);
  }
};

namespace netcore {

/// Writes the line as WriteLog does if `level` is wanted and `limit` allows a line at `now`, and
/// adds " (N more like it)" if N lines were suppressed since the last one.
template <typename... Args>
void WriteLogLimited(const Log& log, LogLevel level, LogLimit& limit, TimePoint now,
                     fmt::format_string<Args...> format, Args&&... args) noexcept {
  if (!log.Enabled(level)) return;
  const std::optional<std::uint64_t> suppressed = limit.Take(now);
  if (!suppressed) return;
  try {
    const std::string line = fmt::format(format, std::forward<Args>(args)...);
    const std::string more = fmt::format("{}", MoreLikeIt{*suppressed});
    // Cut here, where it must be, so that what is cut off is not the count.
    log.Write(level, more.empty() ? line : MakeLogLine(line, more.size()) + more);
  } catch (const std::exception&) {
    log.Write(level, "a log line could not be made");
  }
}

}  // namespace netcore
