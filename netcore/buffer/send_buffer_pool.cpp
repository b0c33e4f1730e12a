// Spare buffers by size class, powers of two.
#include "netcore/buffer/send_buffer_pool.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

namespace netcore {
namespace {

// Class 0 holds what fits into `smallest` bytes, and each class twice as much as the one before.
std::size_t ClassOf(std::size_t size, std::size_t smallest) noexcept {
  const std::size_t capacity = std::bit_ceil(std::max(size, smallest));
  return static_cast<std::size_t>(std::countr_zero(capacity) - std::countr_zero(smallest));
}

}  // namespace

SendBufferPool::~SendBufferPool() {
  for (const std::vector<SendBuffer*>& buffers : spare_)
    for (SendBuffer* const buffer : buffers) SendBuffer::Free(buffer);
}

SendBufferRef SendBufferPool::Create(std::size_t size) {
  if (size > kMaxPooledSize) return SendBuffer::Create(size);
  const std::size_t size_class = ClassOf(size, kSmallestClass);
  std::vector<SendBuffer*>& spare = spare_[size_class];
  if (spare.empty()) {
    return SendBufferRef(SendBuffer::Allocate(size, kSmallestClass << size_class));
  }
  SendBuffer* const buffer = spare.back();
  spare.pop_back();
  spare_bytes_ -= buffer->capacity_;
  buffer->size_ = size;
  return SendBufferRef(buffer);
}

SendBufferRef SendBufferPool::Copy(std::span<const std::byte> bytes) {
  SendBufferRef buffer = Create(bytes.size());
  if (!bytes.empty()) std::memcpy(buffer->data_, bytes.data(), bytes.size());
  return buffer;
}

void SendBufferPool::Recycle(SendBufferRef buffer) noexcept {
  if (!buffer) return;
  const std::size_t capacity = buffer->capacity_;
  if (capacity > kMaxPooledSize || spare_bytes_ + capacity > kMaxSpareBytes) return;
  const std::size_t size_class = ClassOf(capacity, kSmallestClass);
  if (capacity != kSmallestClass << size_class) return;
  // Acquire: what the others read before they let go is behind us when the bytes change.
  if (buffer->references_.load(std::memory_order_acquire) != 1) return;
  try {
    spare_[size_class].push_back(buffer.buffer_);
  } catch (const std::bad_alloc&) {
    return;
  }
  buffer.buffer_ = nullptr;  // with its one reference, which the next user takes over
  spare_bytes_ += capacity;
}

}  // namespace netcore
