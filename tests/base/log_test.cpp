// Log: which lines reach the sink.
#include "netcore/base/log.h"

#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/catch.h"

namespace netcore {
namespace {

using Lines = std::vector<std::pair<LogLevel, std::string>>;

LogSink Into(Lines& lines) {
  return [&lines](LogLevel level, std::string_view line) { lines.emplace_back(level, line); };
}

TEST_CASE("lines below the lowest level are dropped, the others reach the sink in order", "[log]") {
  Lines lines;
  const Log log(Into(lines), LogLevel::kInfo);
  CHECK_FALSE(log.Enabled(LogLevel::kDebug));
  CHECK(log.Enabled(LogLevel::kInfo));
  log.Write(LogLevel::kDebug, "one");
  log.Write(LogLevel::kInfo, "two");
  log.Write(LogLevel::kError, "three");
  CHECK(lines == Lines{{LogLevel::kInfo, "two"}, {LogLevel::kError, "three"}});
}

TEST_CASE("a log without a level of its own starts at warnings", "[log]") {
  Lines lines;
  const Log log(Into(lines));
  log.Write(LogLevel::kInfo, "information");
  log.Write(LogLevel::kWarning, "a warning");
  CHECK(lines == Lines{{LogLevel::kWarning, "a warning"}});
}

TEST_CASE("a log set to none writes nothing", "[log]") {
  Lines lines;
  const Log log(Into(lines), LogLevel::kNone);
  log.Write(LogLevel::kError, "an error");
  CHECK(lines.empty());
}

TEST_CASE("a sink that throws ends nothing but its line", "[log]") {
  int calls = 0;
  const Log log([&calls](LogLevel, std::string_view) {
    if (++calls == 1) throw std::runtime_error("the disk is full");
  });
  log.Write(LogLevel::kError, "one");
  log.Write(LogLevel::kError, "two");
  CHECK(calls == 2);
}

TEST_CASE("a sink is called on the thread that logs", "[log]") {
  std::vector<std::thread::id> ids;
  const Log log([&ids](LogLevel, std::string_view) { ids.push_back(std::this_thread::get_id()); });
  log.Write(LogLevel::kError, "one");
  std::thread([&log] { log.Write(LogLevel::kError, "two\n"); }).join();
  REQUIRE(ids.size() == 2);
  CHECK(ids[0] == std::this_thread::get_id());
  CHECK(ids[1] != ids[0]);
}

TEST_CASE("each level has its name", "[log]") {
  CHECK(ToString(LogLevel::kDebug) == "debug");
  CHECK(ToString(LogLevel::kInfo) == "info");
  CHECK(ToString(LogLevel::kWarning) == "warning");
  CHECK(ToString(LogLevel::kError) == "error");
  CHECK(ToString(LogLevel::kNone) == "none");
}

}  // namespace
}  // namespace netcore
