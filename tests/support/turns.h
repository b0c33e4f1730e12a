// Turns: a chain of hand-offs between threads, in which each link happens before the next.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <thread>

namespace netcore::test {

/// The numbers 0, 1, 2, ...: whoever has awaited one holds the turn until it passes it on. The
/// chain ends after `most` turns; on a machine that is busy with other things, where each hand-off
/// may take a time slice, it ends earlier: with the turn that is held when kTime has passed, but
/// not before kFew turns. Threads: any.
class Turns {
 public:
  static constexpr std::chrono::seconds kTime{5};
  static constexpr std::uint64_t kFew = 100;  // fewer show nothing

  explicit Turns(std::uint64_t most = 100'000) noexcept : most_(most) {}

  /// Waits for the turn of this number; false when the chain has ended before it. Spins: where a
  /// wait is a system call of its own, so many take minutes.
  bool Await(std::uint64_t number) const noexcept {
    while (turn_.load(std::memory_order_acquire) < number) std::this_thread::yield();
    return number < count_.load(std::memory_order_relaxed);
  }

  /// The turn of this number, which the caller holds, is done. False when the chain ends with it.
  bool Pass(std::uint64_t number) noexcept {
    const bool is_last =
        number + 1 == most_ || (number + 1 >= kFew && std::chrono::steady_clock::now() >= end_);
    if (is_last) count_.store(number + 1, std::memory_order_relaxed);
    turn_.store(is_last ? kOver : number + 1, std::memory_order_release);
    return !is_last;
  }

  /// Ends the chain for everybody who waits.
  void GiveUp() noexcept {
    count_.store(0, std::memory_order_relaxed);
    turn_.store(kOver, std::memory_order_release);
  }

  bool IsOver() const noexcept { return turn_.load(std::memory_order_acquire) == kOver; }

  /// How many there were. Once it is over.
  std::uint64_t Count() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint64_t kOver = std::numeric_limits<std::uint64_t>::max();

  const std::uint64_t most_;
  const std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + kTime;
  std::atomic<std::uint64_t> turn_{0};
  std::atomic<std::uint64_t> count_{kOver};
};

}  // namespace netcore::test
