// OwnedBytes: received bytes that stay, for who uses them later or on another thread: what OnRecv
// and OnPacket lend is gone when they return.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "netcore/buffer/bytes_block.h"

namespace netcore {

class OwnedBytesPool;

/// As large as a pointer, so that a job keeps it inside, with a reference to its session. Its
/// memory goes back to the pool that it came from without a lock, whichever thread lets go of it,
/// and also when that pool is gone.
///
/// Owns: the bytes. Lifetime: any. Threads: as a std::unique_ptr.
class OwnedBytes {
 public:
  /// Holds nothing.
  OwnedBytes() noexcept = default;

  /// A copy that belongs to no pool. Throws std::bad_alloc. In a session's hooks use Session::Keep.
  static OwnedBytes Copy(std::span<const std::byte> bytes);

  OwnedBytes(OwnedBytes&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  OwnedBytes& operator=(OwnedBytes&& other) noexcept {
    if (this != &other) {
      Reset();
      block_ = std::exchange(other.block_, nullptr);
    }
    return *this;
  }
  ~OwnedBytes() { Reset(); }

  /// True also for a copy of no bytes.
  explicit operator bool() const noexcept { return block_ != nullptr; }

  std::size_t Size() const noexcept { return block_ != nullptr ? block_->size : 0; }
  std::span<std::byte> Bytes() noexcept {
    return block_ != nullptr ? std::span(block_->Data(), block_->size) : std::span<std::byte>();
  }
  std::span<const std::byte> Bytes() const noexcept {
    return block_ != nullptr ? std::span<const std::byte>(block_->Data(), block_->size)
                             : std::span<const std::byte>();
  }

 private:
  friend class OwnedBytesPool;

  OwnedBytes(BytesBlock& block, std::span<const std::byte> bytes) noexcept;

  void Reset() noexcept;

  BytesBlock* block_ = nullptr;
};

}  // namespace netcore
