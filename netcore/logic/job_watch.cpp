// Comparing what a thread runs with what it ran before.
#include "netcore/logic/job_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace netcore {
namespace {

constexpr Duration kJobReportInterval = std::chrono::seconds(1);

}  // namespace

JobWatch::JobWatch(Duration limit, std::size_t threads)
    : limit_(limit),
      next_look_(limit > Duration::zero() && limit < Duration::max() ? TimePoint() : kNever),
      seen_(threads) {}

void JobWatch::Looked(TimePoint now) noexcept {
  if (next_look_ == kNever) return;
  next_look_ = Later(now, std::max<Duration>(limit_ / 4, std::chrono::milliseconds(1)));
}

std::string JobWatch::Look(std::size_t thread, const Runnable* running, TimePoint now) {
  Seen& seen = seen_[thread];
  const std::uint64_t job = running != nullptr ? running->JobsBegun() : 0;
  const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(now - seen.since).count();
  if (running == nullptr || running != seen.running || job != seen.job) {
    std::string line;
    if (seen.reported) {
      line = fmt::format("logic thread {}: the job of {} has returned after about {} ms", thread,
                         seen.name, age);
    }
    if (seen.overdue) ++seen.left_out;
    seen = {running, job, now, false, false, {}, seen.quiet_until, seen.left_out};
    return line;
  }
  if (seen.reported || now - seen.since < limit_) return {};
  seen.overdue = now < seen.quiet_until;
  if (seen.overdue) return {};
  std::string line = fmt::format(
      "logic thread {}: a job of {} has not returned for {} ms; nothing else runs on this thread "
      "meanwhile",
      thread, running->Name(), age);
  if (seen.left_out > 0) line += fmt::format(" ({} more like it)", seen.left_out);
  seen.name = running->Name();
  seen.reported = true;
  seen.quiet_until = now + kJobReportInterval;
  seen.left_out = 0;
  return line;
}

}  // namespace netcore
