// SequenceCheck: whether what one receiver gets of one sender is all there, once and in order.
// Eight bytes, as there is one for each pair.
#pragma once

#include <cstdint>

namespace samples {

///     window_   [ 1 1 0 1 1 ... ]  which of the last 32 before next_ have come
///                         ^ next_ - 1
///
/// Exact as long as the sender is never more than kWindow messages ahead of what one receiver still
/// waits for: see Flight.
class SequenceCheck {
 public:
  static constexpr std::uint32_t kWindow = 32;

  enum class Found : std::uint8_t {
    kNew,       // the next one, or one beyond it
    kLate,      // one that a later one has overtaken
    kRepeated,  // one that was there before
  };

  Found Take(std::uint32_t sequence) noexcept {
    if (sequence >= next_) {
      const std::uint32_t steps = sequence - next_ + 1;
      window_ = steps < kWindow ? window_ << steps | 1 : 1;
      next_ = sequence + 1;
      return Found::kNew;
    }
    const std::uint32_t back = next_ - 1 - sequence;
    const std::uint32_t bit = back < kWindow ? std::uint32_t{1} << back : 0;
    if (bit == 0 || (window_ & bit) != 0) return Found::kRepeated;
    window_ |= bit;
    return Found::kLate;
  }

  std::uint32_t Next() const noexcept { return next_; }

 private:
  std::uint32_t next_ = 0;
  std::uint32_t window_ = 0;
};

}  // namespace samples
