// RunResult: what came of a run: its connections, and a LoadResult for each of its modes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bot/load_options.h"
#include "bot/load_result.h"

namespace samples {

struct RunResult {
  LoadOptions options;
  std::string backend;
  std::size_t threads = 0;

  std::uint64_t connected = 0;
  std::uint64_t failed = 0;   // clients that could not connect
  std::uint64_t broken = 0;   // connections that ended before the run did
  std::string first_failure;  // what the first of these said
  std::chrono::duration<double> connect_duration{0};

  std::vector<LoadResult> loads;

  bool Good() const noexcept {
    return connected == options.clients && failed == 0 && broken == 0 &&
           loads.size() == options.modes.size() &&
           std::all_of(loads.begin(), loads.end(), [](const LoadResult& r) { return r.Good(); });
  }
  double ConnectsPerSecond() const noexcept {
    const double seconds = connect_duration.count();
    return seconds > 0 ? static_cast<double>(connected) / seconds : 0;
  }
};

}  // namespace samples
