// IoUringRing: one submission and completion queue pair of the kernel's. Knows what the kernel is
// told and what it answers; knows no socket and no event.
#pragma once

#include <liburing.h>

#include <cstdint>
#include <functional>

#include "netcore/base/clock.h"
#include "netcore/base/error.h"
#include "netcore/port/linux/io_uring_script.h"

namespace netcore::linux_port {

/// Runs `step` on a thread of its own and returns its error. When a ring ends, the kernel
/// interrupts the threads that created it or entered it, and a blocking call of theirs fails with
/// EINTR (io_uring/io_uring.c, io_ring_exit_work). A thread of the user's should not be one of
/// those.
[[nodiscard]] Error RunApart(const std::function<Error()>& step);

/// Owns: the ring. Lifetime: as its port.
/// Threads: created on any; from Enable on, the kernel answers the enabling thread alone.
class IoUringRing {
 public:
  struct Completion {
    std::uint64_t user_data;
    int result;  // what the system call would have returned, or -errno
    std::uint32_t flags;

    bool HasMore() const noexcept { return (flags & IORING_CQE_F_MORE) != 0; }
    bool HasBuffer() const noexcept { return (flags & IORING_CQE_F_BUFFER) != 0; }
    std::uint16_t BufferId() const noexcept {
      return static_cast<std::uint16_t>(flags >> IORING_CQE_BUFFER_SHIFT);
    }
  };

  /// The user_data of what nobody waits for.
  static constexpr std::uint64_t kIgnored = 0;

  /// What Enter came to.
  enum class EnterResult : std::uint8_t {
    kDone,
    kBusy,         // completions must be taken first
    kInterrupted,  // by a signal
    kNoMemory,     // the kernel could not do it now
  };

  /// `script`: null, or a test's, which lives as long as the ring.
  explicit IoUringRing(IoUringScript* script = nullptr) noexcept : script_(script) {}
  IoUringRing(const IoUringRing&) = delete;
  IoUringRing& operator=(const IoUringRing&) = delete;
  ~IoUringRing();

  /// Creates the ring, disabled, with the best set of flags that this kernel takes. Done apart.
  [[nodiscard]] Error Create(unsigned sq_entries, unsigned cq_entries);

  /// Makes the calling thread the ring's own. Once, before all that follows.
  [[nodiscard]] Error Enable();

  /// An entry to fill in, which leaves with the next Enter. Submits what waits when the queue is
  /// full; null if the kernel takes none of it for want of memory.
  io_uring_sqe* NextEntry() noexcept;

  /// Asks the kernel to cancel the operation with the user_data `target`, with the next Enter. The
  /// kernel's answer is a completion with the user_data `answer_to`: 0, or -ENOENT (there is no
  /// such operation, or none that can be cancelled just now) or -EALREADY (it is running). False if
  /// there is no entry for it; nothing is asked then.
  [[nodiscard]] bool Cancel(std::uint64_t target, std::uint64_t answer_to) noexcept;

  /// Submits all entries, lets the kernel do what it has put off, and waits up to `timeout` for a
  /// completion (zero or less: not at all; Duration::max(): for ever). Skips a system call that has
  /// nothing to do. Asserts, with the error's number, on an error that io_uring_enter(2) gives only
  /// for a bug of the caller.
  EnterResult Enter(Duration timeout) noexcept;

  /// True when a completion is there, or the kernel holds some back until Enter.
  bool HasWork() const noexcept { return HasCompletion() || IsHeldBack(); }

  /// How many completions are there; the kernel adds to them.
  unsigned CompletionCount() const noexcept { return io_uring_cq_ready(&ring_); }

  /// The user_data of the completion that has `place` others before it; kIgnored if there is none.
  std::uint64_t UserDataAt(unsigned place) const noexcept;

  /// Takes the oldest completion; false if there is none.
  bool NextCompletion(Completion& completion) noexcept;

  io_uring* Get() noexcept { return &ring_; }

 private:
  bool HasCompletion() const noexcept { return CompletionCount() != 0; }
  bool IsHeldBack() const noexcept;
  const io_uring_cqe* EntryAt(unsigned place) const noexcept;  // null if there is none

  int EnterOnce(Duration timeout) noexcept;

  io_uring ring_{};
  IoUringScript* const script_;
  bool created_ = false;
};

}  // namespace netcore::linux_port
