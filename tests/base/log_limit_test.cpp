// LogLimit: which of many lines of one kind are written, in a time that the test makes.
#include "netcore/base/log_limit.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "netcore/base/log_format.h"
#include "tests/support/catch.h"
#include "tests/support/log_lines.h"

namespace netcore {
namespace {

using std::chrono::milliseconds;

constexpr TimePoint kStart{std::chrono::hours(1)};

TEST_CASE("a log limit allows the first line, then one an interval with the number suppressed",
          "[log]") {
  LogLimit limit(milliseconds(1000));
  CHECK(limit.Take(kStart) == std::optional<std::uint64_t>(0));
  for (int ms = 0; ms < 1000; ms += 10) CHECK_FALSE(limit.Take(kStart + milliseconds(ms)));
  CHECK(limit.Take(kStart + milliseconds(1000)) == std::optional<std::uint64_t>(100));
  CHECK_FALSE(limit.Take(kStart + milliseconds(1999)));
  CHECK(limit.Take(kStart + milliseconds(5000)) == std::optional<std::uint64_t>(1));
  CHECK(limit.Take(kStart + milliseconds(6000)) == std::optional<std::uint64_t>(0));
}

TEST_CASE("a log limit allows its first line at a clock's beginning", "[log]") {
  LogLimit limit;
  CHECK(limit.Take(TimePoint()));
  CHECK_FALSE(limit.Take(TimePoint()));
}

TEST_CASE("a log limit with an endless interval allows one line", "[log]") {
  LogLimit limit(Duration::max());
  CHECK(limit.Take(kStart));
  CHECK_FALSE(limit.Take(kStart + std::chrono::hours(10000)));
}

TEST_CASE("a limited line tells how many like it were suppressed", "[log]") {
  test::LogLines lines;
  const Log log(lines.Sink());
  LogLimit limit;
  for (int ms = 0; ms < 3000; ++ms) {
    WriteLogLimited(log, LogLevel::kError, limit, kStart + milliseconds(ms), "line {}", ms);
  }
  CHECK(lines.All() == "line 0\nline 1000 (999 more like it)\nline 2000 (999 more like it)\n");
}

TEST_CASE("lines of a level that is not wanted are not counted as suppressed", "[log]") {
  test::LogLines lines;
  const Log log(lines.Sink(), LogLevel::kError);
  LogLimit limit;
  for (int i = 0; i < 10; ++i) {
    WriteLogLimited(log, LogLevel::kInfo, limit, kStart, "no");
  }
  WriteLogLimited(log, LogLevel::kError, limit, kStart, "yes");
  CHECK(lines.All() == "yes\n");
}

TEST_CASE("threads that share a log limit lose no count", "[log]") {
  constexpr int kThreads = 4;
  constexpr int kCalls = 20'000;
  LogLimit limit(milliseconds(1));
  std::vector<std::uint64_t> counted(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&limit, &counted, t] {
      std::uint64_t own = 0;
      for (int i = 0; i < kCalls; ++i) {
        if (const auto suppressed = limit.Take(kStart + std::chrono::microseconds(i))) {
          own += 1 + *suppressed;
        }
      }
      counted[static_cast<std::size_t>(t)] = own;
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::uint64_t all = 0;
  for (const std::uint64_t own : counted) all += own;
  const auto last = limit.Take(kStart + std::chrono::hours(1));
  REQUIRE(last);
  CHECK(all + *last == std::uint64_t{kThreads} * kCalls);
}

TEST_CASE("the count of suppressed lines stays when the line is cut", "[log]") {
  std::vector<std::string> lines;
  const Log log([&](LogLevel, std::string_view line) { lines.emplace_back(line); });
  LogLimit limit;
  const std::string huge(3 * kLongestLogLine, 'x');
  TimePoint now{};
  for (int i = 0; i < 5; ++i) {
    WriteLogLimited(log, LogLevel::kError, limit, now, "{}", huge);
  }
  now += LogLimit::kInterval;
  WriteLogLimited(log, LogLevel::kError, limit, now, "{}", huge);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].find("bytes cut)") != std::string::npos);
  CHECK(lines[1].find("bytes cut) (4 more like it)") != std::string::npos);
  CHECK(lines[1].size() <= kLongestLogLine);
}

}  // namespace
}  // namespace netcore
