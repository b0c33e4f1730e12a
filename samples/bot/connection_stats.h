// ConnectionStats: what becomes of a run's connections.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace samples {

/// Lifetime: shared by the run and its bots. Threads: any.
struct ConnectionStats {
  using Counter = std::atomic<std::uint64_t>;

  Counter connected{0};  // ever
  Counter failed{0};     // connects that failed
  Counter ended{0};      // connections that are over, however
  Counter broken{0};     // of these, those that ended before the run did

  std::atomic<bool> closing{false};  // whoever ends from here on was meant to

  std::mutex mutex;
  std::string first_failure;  // under mutex: what the first one that failed or broke said
};

}  // namespace samples
