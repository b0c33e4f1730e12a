// How many threads and descriptors this process has, as far as the system tells.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <thread>
#include <utility>

#include "tests/support/catch.h"

namespace netcore::test {

/// Counts the process's threads ("task") or descriptors ("fd"). Returns 0 where the system does not
/// tell. The path is not absolute on Windows, so that a test under Wine does not count Wine's own.
inline std::ptrdiff_t CountOf(const char* what) {
  const std::filesystem::path self = "/proc/self";
  if (!self.is_absolute()) return 0;
  std::error_code none;
  const auto entries = std::filesystem::directory_iterator(self / what, none);
  return std::distance(begin(entries), end(entries));
}

/// Returns what CountOf settles at: a thread that begins, or has just ended, opens and closes
/// things of its own.
inline std::ptrdiff_t SettledCountOf(const char* what) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  std::ptrdiff_t count = CountOf(what);
  for (int same = 0; same < 20;) {
    REQUIRE(std::chrono::steady_clock::now() < give_up);
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    const std::ptrdiff_t now = CountOf(what);
    same = now == std::exchange(count, now) ? same + 1 : 0;
  }
  return count;
}

}  // namespace netcore::test
