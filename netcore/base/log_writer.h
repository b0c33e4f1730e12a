// LogWriter: writes log lines on a thread of its own, so that a stderr that is not read stops no
// thread of the library. For netcore's own sources.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "netcore/base/log.h"

namespace netcore {

/// Holds up to kMaxLines lines that are not written yet. Lines that find it full are dropped and
/// counted; as soon as there is room again, and at the latest when all that it holds is written,
/// one line says how many were dropped. Lines of one thread keep their order, lines of several do
/// not mix.
///
///     Write -> waiting_ -- swapped by the thread --> a batch -> the output
///              [ held_: lines in both               ]
///
/// Owns: the lines, and a thread from the first line on. Threads: any, several at once.
class LogWriter {
 public:
  static constexpr std::size_t kMaxLines = 1000;

  /// How long the end of the process waits for lines that are not written yet, in all.
  static constexpr std::chrono::milliseconds kExitLimit{1000};

  /// Gets whole lines with their ends, up to kMostAtOnce bytes at a time or one longer line, so
  /// that pipes take each part as one (PIPE_BUF). May block. Called on the writer's own thread, and
  /// on the caller's if the system gives no thread.
  using Output = std::function<void(std::string_view lines)>;
  static constexpr std::size_t kMostAtOnce = 4096;

  explicit LogWriter(Output output);
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  /// Writes what is held, for as long as the output takes, and ends the thread.
  ~LogWriter();

  /// Returns the writer of this process's stderr. It is made for the first line and never
  /// destroyed: all Logs share it, as a process has one stderr, whose lines only one buffer can
  /// keep in order, and threads may log until the process is gone. When the process exits, it waits
  /// for the lines that it holds, kExitLimit at most; a forked child gets one of its own. Throws
  /// std::bad_alloc. A module that has netcore in it must not be unloaded once it is made.
  static LogWriter& OfStderr();

  /// Queues "netcore: LEVEL: LINE". Never blocks, but for the short lock, and never throws: lines
  /// are dropped where memory is short.
  void Write(LogLevel level, std::string_view line) noexcept;

  /// For the last words of a process that aborts: queues the line `text` as it is behind the lines
  /// that are held, also if those are kMaxLines, and waits up to `limit` for all of it to be
  /// written. Returns whether it was.
  bool WriteLast(std::string_view text, std::chrono::milliseconds limit) noexcept;

  /// Waits until the lines that are held now are written, and the number of those that were dropped
  /// is told, or until `limit` is over. Returns whether they are.
  bool Flush(std::chrono::milliseconds limit) noexcept;

  /// The process exits: flushes for up to `limit`. Lines that come later wait, each on its own
  /// thread, for what is left of that time, as their thread or this one may end any moment.
  void FlushForExit(std::chrono::milliseconds limit) noexcept;

  /// Lines that were dropped so far, also those that are not told yet.
  std::uint64_t DroppedCount() const noexcept;

 private:
  using SteadyClock = std::chrono::steady_clock;
  using Lock = std::unique_lock<std::mutex>;

  bool HasWork() const noexcept {
    return !waiting_.empty() || dropped_ > 0 || !last_words_.empty();
  }
  bool LockUntil(Lock& lock, SteadyClock::time_point deadline) noexcept;
  SteadyClock::time_point ExitDeadline() const noexcept;
  bool Append(LogLevel level, std::string_view line) noexcept;
  bool EnsureThread() noexcept;
  bool FlushLocked(Lock& lock, SteadyClock::time_point deadline) noexcept;
  void Run() noexcept;
  void WriteWaiting(Lock& lock) noexcept;
  void WriteOut(std::string_view lines) noexcept;
  void WriteDropped(std::uint64_t count) noexcept;

  const Output output_;

  mutable std::mutex mutex_;  // a leaf: nothing else is locked under it, and no output runs
  std::condition_variable work_;
  std::condition_variable written_;
  // All of this under mutex_.
  std::string waiting_;
  std::string last_words_;  // written behind the lines and the number of those dropped
  std::size_t waiting_lines_ = 0;
  std::size_t held_ = 0;            // lines in waiting_ and with the output
  std::uint64_t begun_ = 0;         // batches that were handed to the output
  std::uint64_t done_ = 0;          // and that came back
  std::uint64_t dropped_ = 0;       // since it was told last
  std::uint64_t dropped_told_ = 0;  // before that
  bool stopping_ = false;
  std::thread thread_;

  std::atomic<bool> exiting_{false};
  std::atomic<SteadyClock::rep> exit_deadline_{0};  // while exiting_
};

}  // namespace netcore
