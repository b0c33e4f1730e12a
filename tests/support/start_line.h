// StartLine: threads that begin together.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace netcore::test {

/// Holds as many threads as it was made for until the last of them has come. Threads: any.
class StartLine {
 public:
  explicit StartLine(std::size_t threads) noexcept : missing_(threads) {}

  void Wait() {
    std::unique_lock lock(mutex_);
    if (--missing_ == 0) return all_here_.notify_all();
    all_here_.wait(lock, [this] { return missing_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable all_here_;
  std::size_t missing_;
};

}  // namespace netcore::test
