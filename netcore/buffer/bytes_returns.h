// BytesReturns: the way back of a pool's blocks, from whichever thread was done with them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "netcore/buffer/bytes_block.h"

namespace netcore {

/// A stack: any thread pushes, the owner takes all of it at once, so that no pop can mistake a
/// block that left and came back for one that stayed (the ABA problem).
///
///     open:      Return pushes
///     orphaned:  Return frees; whoever brings the last block frees this too
///
/// Owns: what was returned. Lifetime: its own, as said. Threads: as said below.
class BytesReturns {
 public:
  BytesReturns() = default;
  BytesReturns(const BytesReturns&) = delete;
  BytesReturns& operator=(const BytesReturns&) = delete;

  /// Threads: any.
  void Return(BytesBlock& block) noexcept;

  /// All that were returned, linked, in no order; null if none were. Threads: the owner's.
  BytesBlock* TakeAll() noexcept;

  /// The owner ends: frees what was returned. `block_count` are out, these included. Nothing of the
  /// owner's may touch this any more. Threads: the owner's.
  void Orphan(std::size_t block_count) noexcept;

 private:
  ~BytesReturns() = default;

  // Stands at the head once orphaned. Compared only: no block lies there.
  BytesBlock* OrphanMark() noexcept { return reinterpret_cast<BytesBlock*>(this); }

  void CountDown(std::int64_t change) noexcept;

  std::atomic<BytesBlock*> newest_{nullptr};  // a mark once orphaned
  std::atomic<std::int64_t> out_{0};          // once orphaned; below zero until Orphan has counted
};

}  // namespace netcore
