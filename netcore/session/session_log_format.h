// What the log lines of this folder and those above it show of sessions. For netcore's own sources,
// as base/log_format.h is.
#pragma once

#include "netcore/base/log_format.h"
#include "netcore/session/session_id.h"

template <>
struct fmt::formatter<netcore::SessionId> : fmt::formatter<std::string_view> {
  auto format(const netcore::SessionId& id, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(id.ToString(), context);
  }
};
