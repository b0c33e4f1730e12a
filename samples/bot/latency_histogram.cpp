// From a time to its bucket and back.
#include "bot/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace samples {

void LatencyHistogram::Record(std::chrono::nanoseconds latency, std::uint64_t count) noexcept {
  const auto value =
      static_cast<std::uint64_t>(std::max<std::chrono::nanoseconds::rep>(latency.count(), 0));
  counts_[BucketOf(value)].fetch_add(count, std::memory_order_relaxed);
  std::uint64_t max = max_.load(std::memory_order_relaxed);
  while (max < value && !max_.compare_exchange_weak(max, value, std::memory_order_relaxed)) {
  }
}

std::uint64_t LatencyHistogram::Count() const noexcept {
  std::uint64_t count = 0;
  for (const auto& bucket : counts_) count += bucket.load(std::memory_order_relaxed);
  return count;
}

std::chrono::nanoseconds LatencyHistogram::Quantile(double fraction) const noexcept {
  const double wanted = std::ceil(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(Count()));
  const auto rank = std::max<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1);
  std::uint64_t passed = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    passed += counts_[bucket].load(std::memory_order_relaxed);
    if (passed < rank) continue;
    const auto largest = static_cast<std::chrono::nanoseconds::rep>(LargestIn(bucket));
    return std::min(std::chrono::nanoseconds(largest), Max());
  }
  return std::chrono::nanoseconds::zero();
}

std::chrono::nanoseconds LatencyHistogram::Max() const noexcept {
  return std::chrono::nanoseconds(
      static_cast<std::chrono::nanoseconds::rep>(max_.load(std::memory_order_relaxed)));
}

// The leading kSubBucketBits bits of a value choose its bucket; `shift` bits behind them are lost.
std::size_t LatencyHistogram::BucketOf(std::uint64_t nanoseconds) noexcept {
  const auto width = static_cast<unsigned>(std::bit_width(nanoseconds));
  if (width <= kSubBucketBits) return static_cast<std::size_t>(nanoseconds);
  const unsigned shift = width - kSubBucketBits;
  return shift * (kSubBuckets / 2) + static_cast<std::size_t>(nanoseconds >> shift);
}

std::uint64_t LatencyHistogram::LargestIn(std::size_t bucket) noexcept {
  if (bucket < kSubBuckets) return bucket;
  const std::size_t shift = bucket / (kSubBuckets / 2) - 1;
  const std::uint64_t leading = bucket - shift * (kSubBuckets / 2);
  return ((leading + 1) << shift) - 1;
}

}  // namespace samples
