// Latencies: what is told of a LatencyHistogram.
#pragma once

#include <chrono>

#include "bot/latency_histogram.h"

namespace samples {

/// How long something took: what half, 99 and 99.9 percent of all did not exceed, and the most.
struct Latencies {
  explicit Latencies(const LatencyHistogram& histogram)
      : p50(histogram.Quantile(0.5)),
        p99(histogram.Quantile(0.99)),
        p999(histogram.Quantile(0.999)),
        max(histogram.Max()) {}

  std::chrono::nanoseconds p50;
  std::chrono::nanoseconds p99;
  std::chrono::nanoseconds p999;
  std::chrono::nanoseconds max;
};

}  // namespace samples
