// A vector with a moving head; see the drawing in the header.
#include "netcore/session/send_queue.h"

#include <algorithm>
#include <utility>

#include "netcore/base/assert.h"

namespace netcore {
namespace {

// What one gather takes is kept by an empty queue, so that a steady session allocates nothing.
constexpr std::size_t kKeptItems = CompletionPort::kMaxSendSlices;

}  // namespace

void SendQueue::Push(SendBufferRef buffer) {
  if (!buffer || buffer->Size() == 0) return;
  // Before it grows, a queue that never empties closes up: at most as many items move as were
  // consumed since, so a push stays cheap, and the vector at most some times what waits.
  if (items_.size() == items_.capacity() && head_ >= items_.size() - head_) {
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  items_.push_back(std::move(buffer));
}

std::size_t SendQueue::Gather(std::span<SendSlice> slices) const noexcept {
  std::size_t used = 0;
  std::size_t room = CompletionPort::kMaxSendBytes;
  std::size_t offset = head_offset_;
  for (std::size_t i = head_; i < items_.size() && used < slices.size() && room > 0; ++i) {
    SendSlice waiting = std::as_const(*items_[i]).Bytes().subspan(offset);
    waiting = waiting.first(std::min(waiting.size(), room));
    slices[used++] = waiting;
    room -= waiting.size();
    offset = 0;
  }
  return used;
}

void SendQueue::Consume(std::size_t bytes, SendBufferPool& pool) noexcept {
  while (bytes > 0) {
    NETCORE_ASSERT(!Empty());
    const std::size_t left = items_[head_]->Size() - head_offset_;
    if (bytes < left) {
      head_offset_ += bytes;
      return;
    }
    bytes -= left;
    head_offset_ = 0;
    pool.Recycle(std::move(items_[head_++]));
  }
  if (!Empty()) return;
  if (items_.capacity() > kKeptItems) {
    Clear();
  } else {
    items_.clear();
    head_ = 0;
  }
}

void SendQueue::Clear() noexcept {
  items_ = std::vector<SendBufferRef>();
  head_ = 0;
  head_offset_ = 0;
}

}  // namespace netcore
