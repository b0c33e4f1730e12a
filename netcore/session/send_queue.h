// SendQueue: what waits to be sent on one session, in order. Separate sends stay separate items; a
// gather joins them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "netcore/buffer/send_buffer.h"
#include "netcore/buffer/send_buffer_pool.h"
#include "netcore/port/completion_port.h"

namespace netcore {

///     items_   [ sent | partly sent | waiting | waiting | waiting ]
///                       ^ head_                                    ^ size()
///              head_offset_ bytes of the item at head_ are sent
///
/// Owns: a share in each buffer that waits. Threads: one. Holds no memory while nothing was ever
/// queued, and gives back a long queue's memory once it has drained.
class SendQueue {
 public:
  SendQueue() = default;
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;

  /// Empty buffers are dropped. Throws std::bad_alloc; nothing is queued then.
  void Push(SendBufferRef buffer);

  bool Empty() const noexcept { return head_ == items_.size(); }
  std::size_t ItemCount() const noexcept { return items_.size() - head_; }

  /// The first bytes that wait, as many as fit in `slices` and in CompletionPort::kMaxSendBytes,
  /// the last of them cut if need be. Returns the slices used. They hold until Consume or Clear;
  /// Push does not disturb them.
  std::size_t Gather(std::span<SendSlice> slices) const noexcept;

  /// Drops the first `bytes` bytes, which were sent; buffers that are done go to `pool`. At most
  /// what waits.
  void Consume(std::size_t bytes, SendBufferPool& pool) noexcept;

  /// Drops everything and gives back the memory.
  void Clear() noexcept;

 private:
  std::vector<SendBufferRef> items_;
  std::size_t head_ = 0;
  std::size_t head_offset_ = 0;
};

}  // namespace netcore
