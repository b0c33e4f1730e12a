// BytesBlock: the one allocation behind an OwnedBytes: this header, and right behind it the bytes.
#pragma once

#include <cstddef>

namespace netcore {

class BytesReturns;

/// Lifetime: from Allocate to Free. Threads: one at a time.
class BytesBlock {
 public:
  /// Throws std::bad_alloc.
  static BytesBlock& Allocate(std::size_t capacity, BytesReturns* home);
  static void Free(BytesBlock& block) noexcept;

  BytesBlock(const BytesBlock&) = delete;
  BytesBlock& operator=(const BytesBlock&) = delete;

  std::size_t Capacity() const noexcept { return capacity_; }
  BytesReturns* Home() const noexcept { return home_; }
  std::byte* Data() noexcept { return reinterpret_cast<std::byte*>(this + 1); }

  BytesBlock* next = nullptr;  // in whatever list it is
  std::size_t size = 0;        // bytes in use

 private:
  BytesBlock(std::size_t capacity, BytesReturns* home) noexcept
      : capacity_(capacity), home_(home) {}
  ~BytesBlock() = default;

  const std::size_t capacity_;
  BytesReturns* const home_;  // null: it belongs to no pool
};

}  // namespace netcore
