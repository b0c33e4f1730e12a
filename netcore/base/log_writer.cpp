// The thread behind the built-in log, and the end of the process.
#include "netcore/base/log_writer.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <memory>
#include <utility>

#include "netcore/base/stderr_output.h"

namespace netcore {
namespace {

std::atomic<LogWriter*> stderr_writer{nullptr};

// What a forked child has of its parent's: its thread is not there, and its lock may be taken.
LogWriter* writer_of_parent = nullptr;

void ForgetWriterOfParent() noexcept {
  writer_of_parent = stderr_writer.exchange(nullptr, std::memory_order_acq_rel);
}

void FlushStderrForExit() noexcept {
  LogWriter* const writer = stderr_writer.load(std::memory_order_acquire);
  if (writer != nullptr) writer->FlushForExit(LogWriter::kExitLimit);
}

bool RegisterEnds() noexcept {
  CallInForkedChild(ForgetWriterOfParent);
  CallAtExit(FlushStderrForExit);
  return true;
}

}  // namespace

LogWriter::LogWriter(Output output) : output_(std::move(output)) {}

LogWriter::~LogWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  if (thread_.joinable()) thread_.join();
}

LogWriter& LogWriter::OfStderr() {
  LogWriter* writer = stderr_writer.load(std::memory_order_acquire);
  if (writer != nullptr) return *writer;
  auto made = std::make_unique<LogWriter>([](std::string_view lines) { WriteToStderr(lines); });
  if (!stderr_writer.compare_exchange_strong(writer, made.get(), std::memory_order_acq_rel)) {
    return *writer;
  }
  writer = made.release();
  [[maybe_unused]] static const bool registered = RegisterEnds();
  return *writer;
}

void LogWriter::Write(LogLevel level, std::string_view line) noexcept {
  const bool exiting = exiting_.load(std::memory_order_acquire);
  Lock lock(mutex_, std::defer_lock);
  if (!exiting) {
    lock.lock();
  } else if (!LockUntil(lock, ExitDeadline())) {
    return;
  }
  if (held_ >= kMaxLines) {
    ++dropped_;
    return;
  }
  if (Append(level, line)) {
    ++held_;
    ++waiting_lines_;
  } else {
    ++dropped_;
  }
  if (!EnsureThread()) return WriteWaiting(lock);
  work_.notify_one();
  if (exiting) FlushLocked(lock, ExitDeadline());
}

bool LogWriter::WriteLast(std::string_view text, std::chrono::milliseconds limit) noexcept {
  const auto deadline = SteadyClock::now() + limit;
  Lock lock(mutex_, std::defer_lock);
  if (!LockUntil(lock, deadline)) return false;
  try {
    last_words_.append(text).push_back('\n');
  } catch (const std::exception&) {
    return false;
  }
  if (EnsureThread()) {
    work_.notify_one();
  } else {
    WriteWaiting(lock);
  }
  return FlushLocked(lock, deadline);
}

bool LogWriter::Flush(std::chrono::milliseconds limit) noexcept {
  const auto deadline = SteadyClock::now() + limit;
  Lock lock(mutex_, std::defer_lock);
  return LockUntil(lock, deadline) && FlushLocked(lock, deadline);
}

void LogWriter::FlushForExit(std::chrono::milliseconds limit) noexcept {
  const auto deadline = SteadyClock::now() + limit;
  exit_deadline_.store(deadline.time_since_epoch().count(), std::memory_order_relaxed);
  exiting_.store(true, std::memory_order_release);
  Lock lock(mutex_, std::defer_lock);
  if (LockUntil(lock, deadline)) FlushLocked(lock, deadline);
}

std::uint64_t LogWriter::DroppedCount() const noexcept {
  const std::lock_guard lock(mutex_);
  return dropped_told_ + dropped_;
}

// The end of a process may come in a signal handler that interrupted Write, and after a system has
// ended the thread that had the lock: no end waits for it longer than this.
bool LogWriter::LockUntil(Lock& lock, SteadyClock::time_point deadline) noexcept {
  while (!lock.try_lock()) {
    if (SteadyClock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

LogWriter::SteadyClock::time_point LogWriter::ExitDeadline() const noexcept {
  return SteadyClock::time_point(
      SteadyClock::duration(exit_deadline_.load(std::memory_order_relaxed)));
}

// All of it or, where memory is short, nothing.
bool LogWriter::Append(LogLevel level, std::string_view line) noexcept {
  const std::size_t size = waiting_.size();
  try {
    waiting_.append("netcore: ").append(ToString(level)).append(": ").append(line);
    waiting_.push_back('\n');
    return true;
  } catch (const std::exception&) {
    waiting_.resize(size);
    return false;
  }
}

bool LogWriter::EnsureThread() noexcept {
  if (thread_.joinable()) return true;
  try {
    thread_ = std::thread([this] { Run(); });
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

// After the deadline, what waits is written here if no thread is in the output: then there is none
// left (Windows ends the threads of a process before a DLL hears of the end), and stderr is not
// known to be stuck.
bool LogWriter::FlushLocked(Lock& lock, SteadyClock::time_point deadline) noexcept {
  const std::uint64_t last = begun_ + (HasWork() ? 1 : 0);
  if (written_.wait_until(lock, deadline, [this, last] { return done_ >= last; })) return true;
  if (begun_ == done_) WriteWaiting(lock);
  return done_ >= last;
}

void LogWriter::Run() noexcept {
  PrepareStderrThread();
  Lock lock(mutex_);
  for (;;) {
    work_.wait(lock, [this] { return stopping_ || HasWork(); });
    if (!HasWork()) return;
    WriteWaiting(lock);
  }
}

// What was dropped was dropped behind all that waits: room came, if ever, with the lock that is
// held now.
void LogWriter::WriteWaiting(Lock& lock) noexcept {
  std::string batch;
  std::string last_words;
  batch.swap(waiting_);
  last_words.swap(last_words_);
  const std::size_t lines = std::exchange(waiting_lines_, 0);
  const std::uint64_t dropped = std::exchange(dropped_, 0);
  dropped_told_ += dropped;
  ++begun_;
  lock.unlock();
  WriteOut(batch);
  if (dropped > 0) WriteDropped(dropped);
  WriteOut(last_words);
  lock.lock();
  ++done_;
  held_ -= lines;
  written_.notify_all();
}

void LogWriter::WriteOut(std::string_view lines) noexcept {
  while (!lines.empty()) {
    std::size_t end = lines.rfind('\n', kMostAtOnce - 1);
    if (end == std::string_view::npos) end = std::min(lines.find('\n'), lines.size() - 1);
    try {
      output_(lines.substr(0, end + 1));
    } catch (...) {  // lost; a log that fails must not end what it tells of
    }
    lines.remove_prefix(end + 1);
  }
}

void LogWriter::WriteDropped(std::uint64_t count) noexcept {
  std::array<char, 128> text;
  const int size = std::snprintf(
      text.data(), text.size(), "netcore: warning: %llu log line%s dropped: stderr was not read\n",
      static_cast<unsigned long long>(count), count == 1 ? " was" : "s were");
  WriteOut(std::string_view(text.data(), static_cast<std::size_t>(size)));
}

}  // namespace netcore
