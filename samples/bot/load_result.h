// LoadResult: what came of one mode of a run.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "bot/latencies.h"
#include "bot/load_options.h"

namespace samples {

struct LoadTotals {
  std::uint64_t messages = 0;    // said
  std::uint64_t deliveries = 0;  // received, whole, for the first time
};

struct LoadResult {
  LoadMode mode{};
  std::string title;
  bool prepared = false;  // everybody was where it should be; otherwise nothing was said

  std::chrono::duration<double> duration{0};  // of the load alone
  LoadTotals within;                          // that
  LoadTotals totals;                          // what was on its way at its end included
  std::uint64_t expected = 0;                 // deliveries that there should be
  std::uint64_t held_back = 0;   // messages that were said late, as too many were on their way
  std::uint64_t foreign = 0;     // messages of others than this run
  std::uint64_t complaints = 0;  // of the server
  std::string first_complaint;

  std::uint64_t lost = 0;        // deliveries that never came
  std::uint64_t duplicated = 0;  // that came again
  std::uint64_t reordered = 0;   // that came behind what the same sender said later
  std::uint64_t corrupted = 0;   // that were not as they were sent, or not for who got them

  std::optional<Latencies> round_trip;     // until the speaker itself had it
  std::optional<Latencies> last_receiver;  // until everybody had it

  bool Good() const noexcept {
    return prepared && totals.messages > 0 && complaints == 0 && lost == 0 && duplicated == 0 &&
           reordered == 0 && corrupted == 0;
  }
  double PerSecond(std::uint64_t count) const noexcept {
    return duration.count() > 0 ? static_cast<double>(count) / duration.count() : 0;
  }
};

}  // namespace samples
