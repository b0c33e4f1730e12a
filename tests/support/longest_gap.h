// How long a thread went without an end of something short: on a busy machine longer than it took.
#pragma once

#include <algorithm>
#include <chrono>

namespace netcore::test {

/// The longest time between two marks, the first of which is the construction.
/// Threads: one marks at a time, and the caller orders them.
class LongestGap {
 public:
  void Mark() {
    const auto now = std::chrono::steady_clock::now();
    longest_ = std::max(longest_, now - last_);
    last_ = now;
  }

  std::chrono::steady_clock::duration Longest() const { return longest_; }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::duration longest_{};
};

}  // namespace netcore::test
