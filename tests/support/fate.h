// Fate: a task that tells what becomes of it.
#pragma once

#include <atomic>
#include <utility>

namespace netcore::test {

/// Counts one run or none, and exactly one end. Threads: any.
class Fate {
 public:
  Fate(std::atomic<int>& runs, std::atomic<int>& ends) : runs_(&runs), ends_(&ends) {}
  Fate(Fate&& other) noexcept : runs_(other.runs_), ends_(std::exchange(other.ends_, nullptr)) {}
  Fate& operator=(Fate&&) = delete;
  ~Fate() {
    if (ends_ != nullptr) ++*ends_;
  }
  void operator()() { ++*runs_; }

 private:
  std::atomic<int>* runs_;
  std::atomic<int>* ends_;
};

}  // namespace netcore::test
