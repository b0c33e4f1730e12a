// Watchdog: says so when a hook keeps its worker, and with it everybody who lives there, for too
// long.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "netcore/base/clock.h"
#include "netcore/base/log.h"
#include "netcore/core/worker_set.h"

namespace netcore {

/// Looks at the workers' marks a few times in `limit` and logs a warning, once a hook, for one that
/// has been the same for longer; and how long it took once it has returned. Workers do no more for
/// it than to store the mark. Of the hooks of one worker one a second is told, with the number of
/// those that were left out before it.
///
/// Owns: a thread. Lifetime: ends, and joins the thread, before the workers do. Threads: made and
/// destroyed by one.
class Watchdog {
 public:
  /// `limit` is positive. Throws std::system_error if the system gives no thread.
  Watchdog(std::shared_ptr<WorkerSet> workers, Duration limit);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog();

 private:
  struct Seen {
    std::uint64_t count = 0;
    TimePoint since;
    const char* name = nullptr;
    bool reported = false;
    bool overdue = false;   // beyond the limit, and not reported yet as another was a moment ago
    TimePoint quiet_until;  // of the worker, as the next one
    std::uint64_t left_out = 0;  // hooks beyond the limit that returned untold
  };

  void Run();
  void Look(std::size_t index, TimePoint now);

  const std::shared_ptr<WorkerSet> workers_;
  const Duration limit_;
  std::vector<Seen> seen_;  // one a worker

  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;  // under mutex_
  std::thread thread_;
};

}  // namespace netcore
