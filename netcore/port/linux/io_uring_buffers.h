// IoUringBuffers: the memory that the kernel receives into, as a provided buffer ring: it takes a
// buffer when bytes are there, so an idle connection holds none. Knows no socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "netcore/base/error.h"
#include "netcore/buffer/send_buffer.h"
#include "netcore/port/linux/buffer_budget.h"
#include "netcore/port/linux/io_uring_ring.h"

namespace netcore::linux_port {

/// Owns: the buffers, and the ring that tells the kernel of them. Only some are in use, see
/// BufferBudget; pages that nothing was received into cost nothing. What was received may be lent
/// on to sends, out of one half of the buffers at most: peers that read nothing can't keep the
/// others from writing. Lifetime: destroyed after the kernel's last receive. Threads: its port's
/// own.
class IoUringBuffers final : private SendBufferLender {
 public:
  static constexpr std::uint32_t kBufferSize = 16 * 1024;
  static constexpr std::uint16_t kGroup = 0;

  IoUringBuffers() = default;
  IoUringBuffers(const IoUringBuffers&) = delete;
  IoUringBuffers& operator=(const IoUringBuffers&) = delete;
  ~IoUringBuffers();

  /// Makes `count` buffers (a power of two, at most 32768) and gives the first few to the kernel.
  /// Throws std::bad_alloc.
  [[nodiscard]] Error Create(IoUringRing& ring, std::uint16_t count);

  /// The first `size` bytes of a buffer that a completion brought. It is ours until Return.
  std::span<std::byte> Take(std::uint16_t id, std::size_t size) noexcept;

  /// Gives a buffer back, if it was not lent; the kernel sees it after Publish, if it is to be used
  /// again.
  void Return(std::uint16_t id) noexcept;

  /// Lends `bytes`, which lie in a buffer that was taken and not returned; that is used again when
  /// it was returned and the last reference is gone. Null for what lies elsewhere, for a buffer
  /// that is lent already, and where enough is lent.
  SendBufferRef Lend(std::span<std::byte> bytes) noexcept;

  /// The kernel had none left: more are used from the next Publish on.
  void RanOut() noexcept { budget_.RanOut(); }

  /// Ends a round, in which all that was taken was returned or lent.
  void Publish() noexcept;

  /// How many the kernel has, or has put into completions that were not taken yet.
  std::size_t AvailableCount() const noexcept { return available_count_; }

 private:
  static constexpr std::uint16_t kNone = UINT16_MAX;

  void TakeBack(SendBuffer& buffer) noexcept override;
  void Reuse(std::uint16_t id) noexcept;
  void Add(std::uint16_t id) noexcept;
  std::uint16_t IdOf(const std::byte* place) const noexcept;
  std::byte* At(std::uint16_t id) const noexcept;

  std::byte* memory_ = nullptr;  // the entries that the kernel reads, then the buffers
  std::size_t memory_size_ = 0;
  std::size_t entries_size_ = 0;
  std::size_t available_count_ = 0;
  std::uint16_t count_ = 0;
  std::uint16_t tail_ = 0;       // as the kernel's, with what is not published yet
  std::size_t taken_count_ = 0;  // since the last Publish
  BufferBudget budget_{0, 0};
  std::vector<std::uint16_t> unused_;  // with room for all
  std::deque<SendBuffer> loans_;       // one a buffer
  std::size_t lent_count_ = 0;
  std::uint16_t in_hand_ = kNone;  // taken, and not returned yet
};

}  // namespace netcore::linux_port
