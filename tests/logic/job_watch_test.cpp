// JobWatch: which slow jobs are told, in a time that the test makes.
#include "netcore/logic/job_watch.h"

#include <string>

#include "tests/logic/logic_fixture.h"
#include "tests/support/catch.h"

namespace netcore::test {
namespace {

// What the watch sees of a thread: a runnable that has begun so many jobs.
class Watched final : public Runnable {
 public:
  bool RunStep(std::size_t) noexcept override { return false; }
  void OnAlarm() noexcept override {}
  void OnStop(StopMode) noexcept override {}
  std::string_view Name() const noexcept override { return "room"; }
  std::uint64_t JobsBegun() const noexcept override { return jobs; }

  std::uint64_t jobs = 0;
};

constexpr TimePoint kStart{std::chrono::hours(1)};

TEST_CASE("of a thread's slow jobs one a second is told, with how many were left out", "[logic]") {
  JobWatch watch(milliseconds(40), 1);
  Watched queue;
  std::string told;
  // Each job takes 100 ms, with the next right behind it.
  for (int ms = 0; ms < 2'150; ms += 10) {
    queue.jobs = static_cast<std::uint64_t>(ms / 100);
    const std::string line = watch.Look(0, &queue, kStart + milliseconds(ms));
    if (line.find("has not returned") != std::string::npos)
      told += std::to_string(ms) + line + "\n";
  }
  const std::string words =
      "logic thread 0: a job of room has not returned for 40 ms; nothing else runs on this thread "
      "meanwhile";
  CHECK(told == "40" + words + "\n1040" + words + " (9 more like it)\n2040" + words +
                    " (9 more like it)\n");
}

TEST_CASE("a job that never returns is told also if another was a moment before", "[logic]") {
  JobWatch watch(milliseconds(40), 1);
  Watched queue;
  int told = 0;
  for (int ms = 0; ms < 5'000; ms += 10) {
    queue.jobs = ms < 100 ? 1 : 2;
    const std::string line = watch.Look(0, &queue, kStart + milliseconds(ms));
    if (line.find("has not returned") != std::string::npos) ++told;
    if (ms == 1'040) CHECK(line.find("has not returned for 940 ms") != std::string::npos);
  }
  CHECK(told == 2);
}

}  // namespace
}  // namespace netcore::test
