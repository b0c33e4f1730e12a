// JobWatch: says so when a job keeps its thread for too long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "netcore/base/clock.h"
#include "netcore/base/executor.h"

namespace netcore {

/// Told a few times in `limit` what each thread runs. Threads: one at a time.
class JobWatch {
 public:
  /// Zero, or Duration::max(): nobody looks. Throws std::bad_alloc.
  JobWatch(Duration limit, std::size_t threads);

  /// When to look again; kNever if nobody is to look.
  TimePoint NextLook() const noexcept { return next_look_; }
  void Looked(TimePoint now) noexcept;

  /// What `thread` runs at `now`; null: nothing. Returns what is to be logged, once a job and once
  /// when it has returned after all; empty if nothing is. Of the jobs of one thread one a second is
  /// told, with the number of those that were left out before it. Throws std::bad_alloc.
  std::string Look(std::size_t thread, const Runnable* running, TimePoint now);

 private:
  struct Seen {
    const Runnable* running = nullptr;  // may be gone: compared only
    std::uint64_t job = 0;
    TimePoint since{};
    bool reported = false;
    bool overdue = false;     // beyond the limit, and not reported yet as another was a moment ago
    std::string name{};       // of what was reported
    TimePoint quiet_until{};  // of the thread, as the next one
    std::uint64_t left_out = 0;  // jobs beyond the limit that returned before they were told
  };

  const Duration limit_;
  TimePoint next_look_;
  std::vector<Seen> seen_;  // one a thread
};

}  // namespace netcore
