// Pushing, taking all, and the end, in which the order of the last ones does not matter.
#include "netcore/buffer/bytes_returns.h"

namespace netcore {

void BytesReturns::Return(BytesBlock& block) noexcept {
  BytesBlock* newest = newest_.load(std::memory_order_acquire);
  do {
    if (newest == OrphanMark()) {
      BytesBlock::Free(block);
      return CountDown(-1);
    }
    block.next = newest;
    // Release: what was done with the bytes is done when the owner takes the block.
  } while (!newest_.compare_exchange_weak(newest, &block, std::memory_order_release,
                                          std::memory_order_acquire));
}

BytesBlock* BytesReturns::TakeAll() noexcept {
  // Looked at first: an exchange would take the cache line from those who return.
  if (newest_.load(std::memory_order_relaxed) == nullptr) return nullptr;
  return newest_.exchange(nullptr, std::memory_order_acquire);
}

void BytesReturns::Orphan(std::size_t block_count) noexcept {
  BytesBlock* block = newest_.exchange(OrphanMark(), std::memory_order_acq_rel);
  while (block != nullptr) {
    BytesBlock* const next = block->next;
    BytesBlock::Free(*block);
    --block_count;
    block = next;
  }
  CountDown(static_cast<std::int64_t>(block_count));
}

// The owner adds once how many are out; each of those takes one away, some perhaps before that.
void BytesReturns::CountDown(std::int64_t change) noexcept {
  if (out_.fetch_add(change, std::memory_order_acq_rel) + change == 0) delete this;
}

}  // namespace netcore
