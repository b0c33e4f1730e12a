// SimRandom: where all that a simulation leaves to chance comes from. The same numbers on every
// system, which the distributions of the standard library do not promise.
#pragma once

#include <cstddef>
#include <cstdint>

namespace netcore {

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
/// Threads: one.
class SimRandom {
 public:
  explicit SimRandom(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t Next() noexcept { return Mix(state_ += 0x9e3779b97f4a7c15U); }

  /// From 0 to `bound` - 1; 0 if `bound` is 0 or 1.
  std::uint32_t Below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>(((Next() >> 32U) * bound) >> 32U);
  }

  /// From `low` to `high`, both included.
  std::uint32_t Between(std::uint32_t low, std::uint32_t high) noexcept {
    return low + Below(high - low + 1);
  }

  /// True once in `count` times.
  bool OneIn(std::uint32_t count) noexcept { return Below(count) == 0; }

  /// Spreads every bit of `value` over all of the result.
  static std::uint64_t Mix(std::uint64_t value) noexcept {
    value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31U);
  }

 private:
  std::uint64_t state_;
};

}  // namespace netcore
