#include "netcore/session/session_id.h"

#include <fmt/format.h>

namespace netcore {

std::string SessionId::ToString() const { return fmt::format("{:x}", value); }

}  // namespace netcore
