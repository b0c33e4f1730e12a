// SendQueue: what waits to be sent on one session, in order. Small sends share blocks, so that a
// gather takes many of them in one slice.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "netcore/buffer/send_buffer.h"
#include "netcore/buffer/send_buffer_pool.h"
#include "netcore/port/completion_port.h"

namespace netcore {

///     items_   [ sent | partly sent | waiting | waiting | block with room ]
///                       ^ head_                                            ^ size()
///              an item: a buffer, of which the bytes from `begin` to `end` wait
///
/// What is copied fills the room that the last block has, also while the block's front is with the
/// system, and then a new one: kFirstBlock bytes where nothing waits, then twice as much each time,
/// up to kLargestBlock, or more for what does not fit. A shared buffer is an item of its own, but
/// for small ones that find something waiting: they are copied.
///
/// Owns: a share in each buffer that waits. Threads: one. Holds no memory while nothing was ever
/// queued, and gives back a long queue's memory once it has drained.
class SendQueue {
 public:
  static constexpr std::size_t kFirstBlock = 256;
  static constexpr std::size_t kLargestBlock = 4096;

  /// A shared buffer is joined to what waits up to this size: copying it costs less than a slice
  /// of its own.
  static constexpr std::size_t kMostJoined = 512;

  SendQueue() = default;
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;

  /// Empty buffers are dropped. Throws std::bad_alloc; nothing is queued then.
  void Push(SendBufferRef buffer, SendBufferPool& pool);

  /// Queues a copy of `head` and, right behind it, of `body`. Throws std::bad_alloc; nothing is
  /// queued then.
  void Copy(std::span<const std::byte> head, std::span<const std::byte> body, SendBufferPool& pool);

  bool Empty() const noexcept { return head_ == items_.size(); }
  std::size_t ItemCount() const noexcept { return items_.size() - head_; }

  /// Bytes of memory of all buffers that wait, the room in blocks included. A buffer that others
  /// share counts in whole.
  std::size_t Memory() const noexcept { return memory_; }

  /// The first bytes that wait, as many as fit in `slices` and in CompletionPort::kMaxSendBytes,
  /// the last of them cut if need be. Returns the slices used. They hold until Consume or Clear;
  /// what is queued meanwhile does not disturb them.
  std::size_t Gather(std::span<SendSlice> slices) const noexcept;

  /// Drops the first `bytes` bytes, which were sent; buffers that are done go to `pool`. At most
  /// what waits.
  void Consume(std::size_t bytes, SendBufferPool& pool) noexcept;

  /// Drops everything and gives back the memory.
  void Clear() noexcept;

 private:
  struct Item {
    SendBufferRef buffer;
    std::size_t begin;
    std::size_t end;  // what is behind it, in a block, is room
  };

  // Of the last block. A shared buffer has none.
  std::size_t Room() const noexcept {
    return Empty() ? 0 : items_.back().buffer->Size() - items_.back().end;
  }
  std::size_t BlockFor(std::size_t bytes) const noexcept;
  void MakeSlot();
  static void Append(std::span<const std::byte>& bytes, Item& item) noexcept;

  std::vector<Item> items_;
  std::size_t head_ = 0;
  std::size_t memory_ = 0;
};

}  // namespace netcore
