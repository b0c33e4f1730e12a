// HearCounts: what one bot has heard.
#pragma once

#include <atomic>
#include <cstdint>

namespace samples {

/// A counter that one thread writes and others may read: adding to it costs no more than to a plain
/// one.
class OwnCounter {
 public:
  void Add() noexcept { Set(Get() + 1); }
  void Set(std::uint64_t count) noexcept { count_.store(count, std::memory_order_relaxed); }
  std::uint64_t Get() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> count_{0};
};

/// Threads: the bot's writes, any reads.
struct HearCounts {
  OwnCounter heard;       // messages, whole and for the first time
  OwnCounter duplicated;  // that came again
  OwnCounter reordered;   // of those that were heard: behind a later one of the same speaker
  OwnCounter corrupted;   // not as they were said, or not said in its room
  OwnCounter foreign;     // not said by a bot of this conversation

  void Clear() noexcept {
    for (OwnCounter* counter : {&heard, &duplicated, &reordered, &corrupted, &foreign}) {
      counter->Set(0);
    }
  }
};

}  // namespace samples
