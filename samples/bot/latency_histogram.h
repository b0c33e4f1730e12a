// LatencyHistogram: how long things took, to within 1.6 percent, in memory that does not grow.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace samples {

/// Log-linear: below kSubBuckets nanoseconds a bucket for each, and from there on kSubBuckets / 2
/// equal ones for each doubling. Threads: any.
class LatencyHistogram {
 public:
  void Record(std::chrono::nanoseconds latency, std::uint64_t count = 1) noexcept;

  std::uint64_t Count() const noexcept;

  /// What `fraction` (0 to 1) of all records did not exceed; zero without records.
  std::chrono::nanoseconds Quantile(double fraction) const noexcept;
  std::chrono::nanoseconds Max() const noexcept;

 private:
  static constexpr unsigned kSubBucketBits = 7;
  static constexpr std::size_t kSubBuckets = std::size_t{1} << kSubBucketBits;
  static constexpr std::size_t kDoublings = 64 - kSubBucketBits;
  static constexpr std::size_t kBuckets = kSubBuckets + kDoublings * kSubBuckets / 2;

  static std::size_t BucketOf(std::uint64_t nanoseconds) noexcept;
  static std::uint64_t LargestIn(std::size_t bucket) noexcept;

  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
  std::atomic<std::uint64_t> max_{0};
};

}  // namespace samples
