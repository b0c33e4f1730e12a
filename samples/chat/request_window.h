// RequestWindow: how much of one client may wait in the server's logic. A client that asks faster
// than it is answered is not read from for a while; nothing is refused, nothing is lost.
#pragma once

#include <atomic>
#include <cstddef>

namespace samples::chat {

/// A request weighs 1 for each 256 bytes that were begun, and at least 1.
///
///     kResumeAt              kPauseAt
///         |  <- read again      |  not read from ->
///
/// Threads: Enter the session's own, Leave any.
class RequestWindow {
 public:
  static constexpr std::size_t kPauseAt = 64;
  static constexpr std::size_t kResumeAt = 32;

  /// One more waits. True: from now on nothing more may be read, until a Leave says so.
  [[nodiscard]] bool Enter(std::size_t bytes) noexcept {
    const std::size_t waiting = waiting_.fetch_add(WeightOf(bytes)) + WeightOf(bytes);
    if (waiting < kPauseAt) return false;
    // First the mark, then a second look: whoever empties the window meanwhile sees the one, or is
    // seen by the other.
    paused_.store(true);
    if (waiting_.load() > kResumeAt) return true;
    return !paused_.exchange(false);
  }

  /// One less waits. True, once for each Enter that said so: the caller has the session read from
  /// again, on its own thread and so behind the Enter.
  [[nodiscard]] bool Leave(std::size_t bytes) noexcept {
    const std::size_t waiting = waiting_.fetch_sub(WeightOf(bytes)) - WeightOf(bytes);
    return waiting <= kResumeAt && paused_.load() && paused_.exchange(false);
  }

  std::size_t Waiting() const noexcept { return waiting_.load(); }

 private:
  static constexpr std::size_t kBytesOfWeight = 256;

  static constexpr std::size_t WeightOf(std::size_t bytes) noexcept {
    return bytes <= kBytesOfWeight ? 1 : (bytes + kBytesOfWeight - 1) / kBytesOfWeight;
  }

  // Sequentially consistent, both: see Enter.
  std::atomic<std::size_t> waiting_{0};
  std::atomic<bool> paused_{false};
};

}  // namespace samples::chat
