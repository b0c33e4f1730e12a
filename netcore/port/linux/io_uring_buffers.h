// IoUringBuffers: the memory that the kernel receives into, as a provided buffer ring: it takes a
// buffer when bytes are there, so an idle connection holds none. Knows no socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "netcore/base/error.h"
#include "netcore/port/linux/buffer_budget.h"
#include "netcore/port/linux/io_uring_ring.h"

namespace netcore::linux_port {

/// Owns: the buffers, and the ring that tells the kernel of them. Only some are in use, see
/// BufferBudget; pages that nothing was received into cost nothing. Lifetime: destroyed after the
/// kernel's last receive. Threads: its port's own.
class IoUringBuffers {
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

  /// Gives a buffer back; the kernel sees it after Publish, if it is to be used again.
  void Return(std::uint16_t id) noexcept;

  /// The kernel had none left: more are used from the next Publish on.
  void RanOut() noexcept { budget_.RanOut(); }

  /// Ends a round, in which all that was taken was returned.
  void Publish() noexcept;

  /// How many the kernel has, or has put into completions that were not taken yet.
  std::size_t AvailableCount() const noexcept { return available_count_; }

 private:
  void Add(std::uint16_t id) noexcept;
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
};

}  // namespace netcore::linux_port
