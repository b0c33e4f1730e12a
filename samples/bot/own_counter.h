// OwnCounter: a counter that one thread writes and others may read.
#pragma once

#include <atomic>
#include <cstdint>

namespace samples {

/// Adding to it costs no more than to a plain number.
class OwnCounter {
 public:
  void Add() noexcept { Set(Get() + 1); }
  void Set(std::uint64_t count) noexcept { count_.store(count, std::memory_order_relaxed); }
  std::uint64_t Get() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace samples
