// LoadStats: what all bots of a run count together while it goes on.
#pragma once

#include <atomic>
#include <cstdint>

#include "bot/latency_histogram.h"

namespace samples {

/// Threads: the bots' threads write, anybody reads.
struct LoadStats {
  using Counter = std::atomic<std::uint64_t>;

  Counter connected{0};  // ever
  Counter failed{0};     // connects that failed
  Counter ended{0};      // connections that are over, however
  Counter broken{0};     // of these, those that ended before the run did

  Counter messages_sent{0};
  Counter messages_received{0};  // whole, and as they were sent
  Counter bytes_received{0};
  Counter corrupted{0};  // clients that got something other than what they sent

  LatencyHistogram latency;
};

}  // namespace samples
