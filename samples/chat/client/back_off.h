// BackOff: how long to wait before the next try.
#pragma once

#include <algorithm>
#include <chrono>

namespace samples::chat {

/// Half a second, then twice as long each time, 8 seconds at most.
class BackOff {
 public:
  std::chrono::milliseconds Next() noexcept {
    const std::chrono::milliseconds now = next_;
    next_ = std::min(2 * next_, kMost);
    return now;
  }
  void Reset() noexcept { next_ = kFirst; }

 private:
  static constexpr std::chrono::milliseconds kFirst{500};
  static constexpr std::chrono::milliseconds kMost{8000};

  std::chrono::milliseconds next_ = kFirst;
};

}  // namespace samples::chat
