// EchoStats: what all bots of an echo load count together while it goes on.
#pragma once

#include <atomic>
#include <cstdint>

#include "bot/latency_histogram.h"

namespace samples {

/// Lifetime: shared by the load and its bots. Threads: the bots' threads write, anybody reads.
struct EchoStats {
  using Counter = std::atomic<std::uint64_t>;

  Counter messages_sent{0};
  Counter messages_received{0};  // whole, and as they were sent
  Counter corrupted{0};          // clients that got something other than what they sent

  std::atomic<bool> draining{false};  // answers are still welcome, nothing new is sent

  LatencyHistogram latency;
};

}  // namespace samples
