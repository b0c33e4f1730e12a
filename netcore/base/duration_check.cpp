#include "netcore/base/duration_check.h"

#include <fmt/format.h>

namespace netcore {

Error CheckDurations(std::string_view kind, std::initializer_list<DurationOption> options) {
  for (const DurationOption& option : options) {
    if (option.value >= std::chrono::milliseconds::zero()) continue;
    return Error(ErrorCode::kInvalidArgument, 0,
                 fmt::format("{} option {} is {} ms, and must be 0 (no limit) or more", kind,
                             option.name, option.value.count()));
  }
  return {};
}

}  // namespace netcore
