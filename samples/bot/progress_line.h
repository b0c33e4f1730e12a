// ProgressLine: says how far a run is, by a bar that rewrites itself where somebody watches, and by
// a plain line now and then where the output goes to a file.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace samples {

/// Owns: the line, which is gone when it is destroyed. Threads: one.
class ProgressLine {
 public:
  ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();

  /// `done` is 0 to 1. As often as one likes; shows it when it is time.
  void Show(double done, const std::string& text);

 private:
  using Clock = std::chrono::steady_clock;

  void Rewrite(const std::string& text);

  const bool rewrites_;
  std::size_t width_ = 0;  // of what stands there
  Clock::time_point next_;
};

}  // namespace samples
