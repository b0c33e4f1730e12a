// LogWriter: lines that wait for an output that is not read, and what is told of those that were
// dropped.
#include "netcore/base/log_writer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/catch.h"

namespace netcore {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLong{60'000};  // bounds a test that would hang otherwise

// Stands for a pipe: keeps what is written, and blocks its writer while it is full.
class Pipe {
 public:
  LogWriter::Output Output() {
    return [this](std::string_view text) { Write(text); };
  }

  void SetFull(bool full) {
    const std::lock_guard lock(mutex_);
    full_ = full;
    changed_.notify_all();
  }

  // False if nobody comes.
  bool WaitForWriter() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kLong, [this] { return blocked_ > 0; });
  }

  std::vector<std::string> Lines() {
    const std::lock_guard lock(mutex_);
    std::istringstream text(text_);
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }

  std::vector<std::string> Writes() {
    const std::lock_guard lock(mutex_);
    return writes_;
  }

  std::thread::id Writer() {
    const std::lock_guard lock(mutex_);
    return writer_;
  }

 private:
  // A writer that the test waits for must not block it for ever.
  void Write(std::string_view text) {
    std::unique_lock lock(mutex_);
    writer_ = std::this_thread::get_id();
    ++blocked_;
    changed_.notify_all();
    if (writer_ != owner_) changed_.wait(lock, [this] { return !full_; });
    --blocked_;
    text_ += text;
    writes_.emplace_back(text);
  }

  const std::thread::id owner_ = std::this_thread::get_id();
  std::mutex mutex_;
  std::condition_variable changed_;
  bool full_ = false;
  int blocked_ = 0;
  std::string text_;
  std::vector<std::string> writes_;
  std::thread::id writer_;
};

std::uint64_t ToldDropped(const std::vector<std::string>& lines) {
  std::uint64_t told = 0;
  for (const std::string& line : lines) {
    unsigned long long count = 0;
    if (std::sscanf(line.c_str(), "netcore: warning: %llu log line", &count) == 1) told += count;
  }
  return told;
}

bool IsTold(const std::string& line) { return line.find(" dropped: stderr") != std::string::npos; }

TEST_CASE("a log writer writes each line with its level, in order, on a thread of its own",
          "[log]") {
  Pipe pipe;
  LogWriter writer(pipe.Output());
  writer.Write(LogLevel::kWarning, "one");
  writer.Write(LogLevel::kError, "둘");
  writer.Write(LogLevel::kDebug, "");
  REQUIRE(writer.Flush(kLong));
  CHECK(pipe.Lines() == std::vector<std::string>{"netcore: warning: one", "netcore: error: 둘",
                                                 "netcore: debug: "});
  CHECK(pipe.Writer() != std::this_thread::get_id());
}

TEST_CASE("no thread waits for an output that is not read, and each line is written or told",
          "[log]") {
  constexpr std::uint64_t kThreads = 4;
  constexpr std::uint64_t kLines = 25'000;
  Pipe pipe;
  LogWriter writer(pipe.Output());
  pipe.SetFull(true);
  writer.Write(LogLevel::kError, "first");
  REQUIRE(pipe.WaitForWriter());
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&writer, thread] {
      for (std::uint64_t line = 0; line < kLines; ++line) {
        writer.Write(LogLevel::kError, std::to_string(thread) + " " + std::to_string(line));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();  // while it is full
  CHECK(writer.DroppedCount() == kThreads * kLines - (LogWriter::kMaxLines - 1));
  CHECK(pipe.Lines().empty());
  CHECK_FALSE(writer.Flush(milliseconds(1)));

  pipe.SetFull(false);
  REQUIRE(writer.Flush(kLong));
  writer.Write(LogLevel::kError, "last");
  REQUIRE(writer.Flush(kLong));
  const std::vector<std::string> lines = pipe.Lines();
  CHECK(lines.size() == LogWriter::kMaxLines + 2);
  CHECK(ToldDropped(lines) == writer.DroppedCount());
  CHECK(lines.front() == "netcore: error: first");
  // Where lines are missing, and before those that came later.
  CHECK(lines[LogWriter::kMaxLines] ==
        "netcore: warning: 99001 log lines were dropped: stderr was not read");
  CHECK(lines.back() == "netcore: error: last");
}

TEST_CASE("lines of several threads keep each thread's order and add up with those dropped",
          "[log]") {
  constexpr std::uint64_t kThreads = 4;
  constexpr std::uint64_t kLines = 5'000;
  Pipe pipe;
  LogWriter writer(pipe.Output());
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&writer, &pipe, thread] {
      for (std::uint64_t line = 0; line < kLines; ++line) {
        writer.Write(LogLevel::kError, std::to_string(thread) + " " + std::to_string(line));
        if (thread == 0 && line % 500 == 0) pipe.SetFull(line % 1000 == 0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  pipe.SetFull(false);
  REQUIRE(writer.Flush(kLong));
  const std::vector<std::string> lines = pipe.Lines();
  std::vector<int> next(kThreads, 0);
  std::uint64_t written = 0;
  for (const std::string& line : lines) {
    if (IsTold(line)) continue;
    int thread = 0;
    int number = 0;
    REQUIRE(std::sscanf(line.c_str(), "netcore: error: %d %d", &thread, &number) == 2);
    REQUIRE(number >= next[static_cast<std::size_t>(thread)]);
    next[static_cast<std::size_t>(thread)] = number + 1;
    ++written;
  }
  CHECK(written + writer.DroppedCount() == kThreads * kLines);
  CHECK(ToldDropped(lines) == writer.DroppedCount());
}

TEST_CASE("a log writer hands out whole lines, as many as a pipe takes as one", "[log]") {
  Pipe pipe;
  LogWriter writer(pipe.Output());
  pipe.SetFull(true);
  writer.Write(LogLevel::kError, "first");
  REQUIRE(pipe.WaitForWriter());
  for (int line = 0; line < 200; ++line) writer.Write(LogLevel::kError, std::string(100, 'x'));
  writer.Write(LogLevel::kError, std::string(6'000, 'y'));
  writer.Write(LogLevel::kError, "after");
  pipe.SetFull(false);
  REQUIRE(writer.Flush(kLong));
  const std::vector<std::string> writes = pipe.Writes();
  for (const std::string& text : writes) {
    CHECK(text.back() == '\n');
    CHECK(
        (text.size() <= LogWriter::kMostAtOnce || std::count(text.begin(), text.end(), '\n') == 1));
  }
  CHECK(pipe.Lines().size() == 203);
  CHECK(writes.size() < 12);
}

TEST_CASE("the last words of a process come behind the lines before them, also if it is full",
          "[log]") {
  Pipe pipe;
  LogWriter writer(pipe.Output());
  pipe.SetFull(true);
  writer.Write(LogLevel::kError, "first");
  REQUIRE(pipe.WaitForWriter());
  for (int line = 0; line < 2'000; ++line) writer.Write(LogLevel::kError, "next");
  CHECK_FALSE(writer.WriteLast("not in time", milliseconds(1)));
  pipe.SetFull(false);
  CHECK(writer.WriteLast("the end", kLong));
  CHECK(pipe.Lines().back() == "the end");
  CHECK(ToldDropped(pipe.Lines()) == 1'001);
}

TEST_CASE("a process that exits waits for its lines, and only so long", "[log]") {
  Pipe pipe;
  LogWriter writer(pipe.Output());
  pipe.SetFull(true);
  writer.Write(LogLevel::kError, "first");
  REQUIRE(pipe.WaitForWriter());
  writer.Write(LogLevel::kError, "second");
  writer.FlushForExit(milliseconds(1));  // returns
  CHECK(pipe.Lines().empty());
  writer.Write(LogLevel::kError, "third");  // so does this, though nothing is written
  pipe.SetFull(false);
  REQUIRE(writer.Flush(kLong));
  CHECK(pipe.Lines().size() == 3);
  writer.FlushForExit(kLong);
  writer.Write(LogLevel::kError, "fourth");  // written when it returns
  CHECK(pipe.Lines().size() == 4);
}

TEST_CASE("a process that exits goes on as soon as its lines are written", "[log]") {
  Pipe pipe;
  LogWriter writer(pipe.Output());
  pipe.SetFull(true);
  for (int line = 0; line < 10; ++line) writer.Write(LogLevel::kError, "line");
  std::thread reader([&pipe] {
    std::this_thread::sleep_for(milliseconds(20));  // the exit most likely waits by then
    pipe.SetFull(false);
  });
  writer.FlushForExit(kLong);
  CHECK(pipe.Lines().size() == 10);
  reader.join();
}

TEST_CASE("a log writer that ends writes what it holds", "[log]") {
  Pipe pipe;
  {
    LogWriter writer(pipe.Output());
    for (int line = 0; line < 500; ++line) writer.Write(LogLevel::kError, "line");
  }
  CHECK(pipe.Lines().size() == 500);
  {
    const LogWriter unused(pipe.Output());
  }
}

TEST_CASE("an output that throws loses its lines and nothing else", "[log]") {
  std::atomic<int> calls{0};
  LogWriter writer([&calls](std::string_view) {
    if (++calls == 1) throw std::runtime_error("the disk is full");
  });
  writer.Write(LogLevel::kError, "one");
  REQUIRE(writer.Flush(kLong));
  writer.Write(LogLevel::kError, "two");
  REQUIRE(writer.Flush(kLong));
  CHECK(calls == 2);
}

}  // namespace
}  // namespace netcore
