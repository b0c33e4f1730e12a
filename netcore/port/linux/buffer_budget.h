// BufferBudget: how many receive buffers a port keeps in use. Knows numbers alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

namespace netcore::linux_port {

/// As few as the load needs: the kernel fills buffers in turn, and the fewer there are, the more of
/// what it fills is in the processor's cache. A burst that finds too few waits for one round more,
/// and that is cheap; where it goes on, each connection gets a single buffer a round, which is not.
/// So many rounds that ran out double the number, and many that took little halve it.
class BufferBudget {
 public:
  /// What is done next is decided behind so many rounds in which anything happened ...
  static constexpr std::size_t kRounds = 64;
  /// ... or as soon as so many of them ran out.
  static constexpr std::size_t kShortRounds = 8;
  /// In use are at most about so many times what a round takes.
  static constexpr std::size_t kRoom = 8;

  constexpr BufferBudget(std::size_t least, std::size_t most) noexcept
      : least_(std::min(least, most)), most_(most), wanted_(least_) {}

  constexpr std::size_t Wanted() const noexcept { return wanted_; }

  /// Somebody found no buffer. Any number of times a round.
  constexpr void RanOut() noexcept { ran_out_ = true; }

  /// All of a round's buffers are back; there were `taken` of them.
  constexpr void EndRound(std::size_t taken) noexcept {
    if (taken == 0 && !ran_out_) return;
    ++rounds_;
    taken_ += taken;
    if (std::exchange(ran_out_, false)) ++short_rounds_;
    if (short_rounds_ == kShortRounds) {
      Change(2 * wanted_);
    } else if (rounds_ == kRounds) {
      Change(kRoom * taken_ <= wanted_ * kRounds ? wanted_ / 2 : wanted_);
    }
  }

 private:
  constexpr void Change(std::size_t wanted) noexcept {
    wanted_ = std::clamp(wanted, least_, most_);
    rounds_ = short_rounds_ = taken_ = 0;
  }

  std::size_t least_;
  std::size_t most_;
  std::size_t wanted_;
  bool ran_out_ = false;  // in this round
  std::size_t rounds_ = 0;
  std::size_t short_rounds_ = 0;  // that ran out
  std::size_t taken_ = 0;         // in these rounds
};

}  // namespace netcore::linux_port
