// Blocks by size class, powers of two.
#include "netcore/buffer/owned_bytes_pool.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace netcore {

OwnedBytesPool::OwnedBytesPool() : returns_(new BytesReturns) {}

OwnedBytesPool::~OwnedBytesPool() {
  for (std::size_t size_class = 0; size_class < kClassCount; ++size_class) {
    while (spare_[size_class] != nullptr) FreeSpare(size_class);
  }
  returns_->Orphan(block_count_);
}

// Class 0 holds what fits into kSmallestClass bytes, and each class twice as much as the one
// before.
std::size_t OwnedBytesPool::ClassOf(std::size_t size) noexcept {
  const std::size_t capacity = std::bit_ceil(std::max(size, kSmallestClass));
  return static_cast<std::size_t>(std::countr_zero(capacity) - std::countr_zero(kSmallestClass));
}

OwnedBytes OwnedBytesPool::Copy(std::span<const std::byte> bytes) {
  if (bytes.size() > kMaxPooledSize) return OwnedBytes::Copy(bytes);
  const std::size_t size_class = ClassOf(bytes.size());
  BytesBlock* block = Take(size_class);
  if (block == nullptr) {
    const std::size_t capacity = kSmallestClass << size_class;
    if (!MakeRoom(capacity)) return OwnedBytes::Copy(bytes);
    block = &BytesBlock::Allocate(capacity, returns_);
    pooled_bytes_ += capacity;
    ++block_count_;
  }
  return OwnedBytes(*block, bytes);
}

BytesBlock* OwnedBytesPool::Take(std::size_t size_class) noexcept {
  if (spare_[size_class] == nullptr) Collect();
  BytesBlock* const block = spare_[size_class];
  if (block != nullptr) spare_[size_class] = std::exchange(block->next, nullptr);
  return block;
}

void OwnedBytesPool::Collect() noexcept {
  BytesBlock* block = returns_->TakeAll();
  while (block != nullptr) {
    BytesBlock* const next = block->next;
    block->next = std::exchange(spare_[ClassOf(block->Capacity())], block);
    block = next;
  }
}

// At the cost of what is spare in other sizes, so that those of one time don't take all the room
// for ever. False when too much is out.
bool OwnedBytesPool::MakeRoom(std::size_t size) noexcept {
  for (std::size_t size_class = kClassCount; size_class-- > 0;) {
    while (pooled_bytes_ + size > kMaxPooledBytes && spare_[size_class] != nullptr) {
      FreeSpare(size_class);
    }
  }
  return pooled_bytes_ + size <= kMaxPooledBytes;
}

void OwnedBytesPool::FreeSpare(std::size_t size_class) noexcept {
  BytesBlock* const block = spare_[size_class];
  spare_[size_class] = block->next;
  pooled_bytes_ -= block->Capacity();
  --block_count_;
  BytesBlock::Free(*block);
}

}  // namespace netcore
