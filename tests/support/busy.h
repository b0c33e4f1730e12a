// A hook that lasts for as long as a test wants.
#pragma once

#include <atomic>
#include <thread>

#include "tests/support/test_server.h"

namespace netcore::test {

/// Keeps the worker of `session` busy until it is destroyed.
class Busy {
 public:
  explicit Busy(Session& session) {
    const bool posted = session.Post([this] {
      is_inside_ = true;
      while (!is_over_) std::this_thread::sleep_for(milliseconds(1));
      has_left_ = true;
    });
    REQUIRE(posted);
    REQUIRE(Eventually([this] { return is_inside_.load(); }));
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() {
    is_over_ = true;
    while (!has_left_) std::this_thread::yield();
  }

 private:
  std::atomic<bool> is_inside_{false};
  std::atomic<bool> is_over_{false};
  std::atomic<bool> has_left_{false};
};

}  // namespace netcore::test
