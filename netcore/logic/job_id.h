// JobId: how a timed job is named, to cancel it.
#pragma once

#include <cstdint>

namespace netcore {

/// Means something only to the queue that gave it out, and only until that job is over: a stale one
/// finds nothing. Threads: as an int.
class JobId {
 public:
  /// Names no job.
  constexpr JobId() noexcept = default;

  explicit constexpr operator bool() const noexcept { return generation_ != 0; }
  friend constexpr bool operator==(const JobId&, const JobId&) noexcept = default;

 private:
  friend class TimedJobs;

  constexpr JobId(std::uint32_t index, std::uint32_t generation) noexcept
      : index_(index), generation_(generation) {}

  std::uint32_t index_ = 0;
  std::uint32_t generation_ = 0;  // how often the place at `index_` was taken
};

}  // namespace netcore
