// A vector with a moving head; see the drawing in the header.
#include "netcore/session/send_queue.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "netcore/base/assert.h"

namespace netcore {
namespace {

// What one gather takes is kept by an empty queue, so that a steady session allocates nothing.
constexpr std::size_t kKeptItems = CompletionPort::kMaxSendSlices;

}  // namespace

void SendQueue::Push(SendBufferRef buffer, SendBufferPool& pool) {
  if (!buffer || buffer->Size() == 0) return;
  const std::size_t size = buffer->Size();
  if (!Empty() && size <= kMostJoined) return Copy(buffer->Bytes(), {}, pool);
  MakeSlot();
  items_.push_back({std::move(buffer), 0, size});
  memory_ += size;
}

void SendQueue::Copy(std::span<const std::byte> head, std::span<const std::byte> body,
                     SendBufferPool& pool) {
  const std::size_t size = head.size() + body.size();
  const std::size_t room = Room();
  SendBufferRef block;
  if (size > room) {  // all that may fail comes first
    block = pool.Create(BlockFor(size - room));
    MakeSlot();
  }
  if (room > 0) {
    Append(head, items_.back());
    Append(body, items_.back());
  }
  if (!block) return;
  memory_ += block->Size();
  items_.push_back({std::move(block), 0, 0});
  Append(head, items_.back());
  Append(body, items_.back());
}

// As large as the pool makes it in any case.
std::size_t SendQueue::BlockFor(std::size_t bytes) const noexcept {
  const std::size_t usual =
      Empty() ? kFirstBlock
              : std::clamp(2 * items_.back().buffer->Size(), kFirstBlock, kLargestBlock);
  const std::size_t size = std::max(bytes, usual);
  return size <= SendBufferPool::kMaxPooledSize ? std::bit_ceil(size) : size;
}

// Room for one more item. Before it grows, a queue that never empties closes up: at most as many
// items move as were consumed since, so a push stays cheap, and the vector at most some times what
// waits.
void SendQueue::MakeSlot() {
  if (items_.size() < items_.capacity()) return;
  if (head_ > 0 && head_ >= items_.size() - head_) {
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  } else {
    items_.reserve(std::max<std::size_t>(2 * items_.capacity(), 1));
  }
}

// As much of the first bytes as there is room for.
void SendQueue::Append(std::span<const std::byte>& bytes, Item& item) noexcept {
  const std::size_t count = std::min(bytes.size(), item.buffer->Size() - item.end);
  if (count == 0) return;
  std::memcpy(item.buffer->Writable().data() + item.end, bytes.data(), count);
  item.end += count;
  bytes = bytes.subspan(count);
}

std::size_t SendQueue::Gather(std::span<SendSlice> slices) const noexcept {
  std::size_t used = 0;
  std::size_t room = CompletionPort::kMaxSendBytes;
  for (std::size_t i = head_; i < items_.size() && used < slices.size() && room > 0; ++i) {
    const Item& item = items_[i];
    const std::size_t count = std::min(item.end - item.begin, room);
    slices[used++] = std::as_const(*item.buffer).Bytes().subspan(item.begin, count);
    room -= count;
  }
  return used;
}

void SendQueue::Consume(std::size_t bytes, SendBufferPool& pool) noexcept {
  while (bytes > 0) {
    NETCORE_ASSERT(!Empty());
    Item& item = items_[head_];
    const std::size_t count = std::min(bytes, item.end - item.begin);
    item.begin += count;
    bytes -= count;
    if (item.begin < item.end) return;
    memory_ -= item.buffer->Size();
    pool.Recycle(std::move(item.buffer));
    ++head_;
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
  items_ = std::vector<Item>();
  head_ = 0;
  memory_ = 0;
}

}  // namespace netcore
