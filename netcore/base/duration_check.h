// What all options have in common that are durations: none of them is negative.
#pragma once

#include <chrono>
#include <initializer_list>
#include <string_view>

#include "netcore/base/error.h"

namespace netcore {

/// An option that is a duration, under the name that its struct gives it.
struct DurationOption {
  std::string_view name;
  std::chrono::milliseconds value;
};

/// Returns no error, or kInvalidArgument for the first option that is negative. The message names
/// it behind `kind`: "session option idle_timeout is -1 ms, and must be 0 (no limit) or more".
[[nodiscard]] Error CheckDurations(std::string_view kind,
                                   std::initializer_list<DurationOption> options);

}  // namespace netcore
