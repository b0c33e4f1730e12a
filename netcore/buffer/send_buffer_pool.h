// SendBufferPool: a worker's own stock of small SendBuffers, so that a steady echo allocates
// nothing. Buffers know no pool: whoever finishes one offers it, and the pool keeps it if nobody
// else holds it.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "netcore/buffer/send_buffer.h"

namespace netcore {

/// Owns: the spare buffers, at most kMaxSpareBytes of them in all. Lifetime: its worker's. Threads:
/// its worker's only.
class SendBufferPool {
 public:
  /// Larger ones go to the heap. As much as one recv brings, so that its echo fits.
  static constexpr std::size_t kMaxPooledSize = 64 * 1024;
  static constexpr std::size_t kMaxSpareBytes = 4 * 1024 * 1024;

  SendBufferPool() = default;
  SendBufferPool(const SendBufferPool&) = delete;
  SendBufferPool& operator=(const SendBufferPool&) = delete;
  ~SendBufferPool();

  /// `size` bytes, not yet written, in a spare buffer where one fits. Throws std::bad_alloc.
  SendBufferRef Create(std::size_t size);

  /// A copy of `bytes`, in a spare buffer where one fits. Throws std::bad_alloc.
  SendBufferRef Copy(std::span<const std::byte> bytes);

  /// Takes a buffer that the caller is done with. Keeps it if it is of a pooled size, nobody else
  /// holds it and there is room; otherwise this is the same as dropping the reference.
  void Recycle(SendBufferRef buffer) noexcept;

  std::size_t SpareBytes() const noexcept { return spare_bytes_; }

 private:
  static constexpr std::size_t kSmallestClass = 64;
  static constexpr std::size_t kClassCount = 11;  // 64, 128, ... 65536

  std::array<std::vector<SendBuffer*>, kClassCount> spare_;
  std::size_t spare_bytes_ = 0;
};

}  // namespace netcore
