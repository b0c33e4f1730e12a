// What the log lines of this folder and those above it show of sessions. For netcore's own sources,
// as base/log_format.h is.
#pragma once

#include "netcore/base/log_format.h"
#include "netcore/session/close_info.h"
#include "netcore/session/session_id.h"

namespace netcore {

/// Shows as "REASON" or, if there is an error, as "REASON, ERROR".
struct CloseCause {
  const CloseInfo& info;
};

}  // namespace netcore

template <>
struct fmt::formatter<netcore::SessionId> : fmt::formatter<std::string_view> {
  auto format(const netcore::SessionId& id, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(id.ToString(), context);
  }
};

template <>
struct fmt::formatter<netcore::CloseCause> : fmt::formatter<std::string_view> {
  auto format(const netcore::CloseCause& cause, fmt::format_context& context) const {
    const std::string_view reason = netcore::ToString(cause.info.reason);
    if (!cause.info.error) return fmt::format_to(context.out(), "{}", reason);
    return fmt::format_to(context.out(), "{}, {}", reason, cause.info.error);
  }
};
