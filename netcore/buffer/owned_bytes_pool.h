// OwnedBytesPool: a worker's own memory for OwnedBytes, so that a packet handed to a job needs no
// allocation. The blocks come back by themselves.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "netcore/buffer/bytes_block.h"
#include "netcore/buffer/bytes_returns.h"
#include "netcore/buffer/owned_bytes.h"

namespace netcore {

/// Owns: the blocks that nobody uses, and a share of those that are out: at most kMaxPooledBytes of
/// both together, so that what is spare is bounded too; what exceeds that comes from the heap.
/// Lifetime: its worker's; what is out when it ends is freed when it is let go of.
/// Threads: its worker's only.
class OwnedBytesPool {
 public:
  static constexpr std::size_t kMaxPooledSize = 16 * 1024;  // larger ones go to the heap
  static constexpr std::size_t kMaxPooledBytes = 4 * 1024 * 1024;

  /// Throws std::bad_alloc.
  OwnedBytesPool();
  OwnedBytesPool(const OwnedBytesPool&) = delete;
  OwnedBytesPool& operator=(const OwnedBytesPool&) = delete;
  ~OwnedBytesPool();

  /// A copy of `bytes`, in a spare block where one fits. Throws std::bad_alloc.
  OwnedBytes Copy(std::span<const std::byte> bytes);

  /// Of all its blocks, spare or out.
  std::size_t PooledBytes() const noexcept { return pooled_bytes_; }

 private:
  static constexpr std::size_t kSmallestClass = 64;
  static constexpr std::size_t kClassCount = 9;  // 64, 128, ... 16384

  static std::size_t ClassOf(std::size_t size) noexcept;
  BytesBlock* Take(std::size_t size_class) noexcept;
  void Collect() noexcept;
  bool MakeRoom(std::size_t size) noexcept;
  void FreeSpare(std::size_t size_class) noexcept;

  BytesReturns* const returns_;
  std::array<BytesBlock*, kClassCount> spare_{};
  std::size_t pooled_bytes_ = 0;
  std::size_t block_count_ = 0;
};

}  // namespace netcore
