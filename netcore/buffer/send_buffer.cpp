// The one allocation of a SendBuffer that owns its bytes: the object, and right behind it the
// bytes.
#include "netcore/buffer/send_buffer.h"

#include <cstdint>
#include <cstring>
#include <new>

#include "netcore/base/assert.h"

namespace netcore {

SendBufferRef SendBuffer::Create(std::size_t size) { return SendBufferRef(Allocate(size, size)); }

SendBufferRef SendBuffer::Copy(std::span<const std::byte> bytes) {
  SendBufferRef buffer = Create(bytes.size());
  if (!bytes.empty()) std::memcpy(buffer->data_, bytes.data(), bytes.size());
  return buffer;
}

SendBuffer* SendBuffer::Allocate(std::size_t size, std::size_t capacity) {
  if (capacity > SIZE_MAX - sizeof(SendBuffer)) throw std::bad_alloc();
  void* const memory = ::operator new(sizeof(SendBuffer) + capacity);
  return ::new (memory) SendBuffer(size, capacity);
}

void SendBuffer::Free(SendBuffer* buffer) noexcept {
  if (buffer->lender_ != nullptr) return buffer->lender_->TakeBack(*buffer);
  buffer->~SendBuffer();
  ::operator delete(static_cast<void*>(buffer));
}

SendBufferRef SendBuffer::Lend(std::span<std::byte> bytes) noexcept {
  NETCORE_ASSERT(lender_ != nullptr && references_.load(std::memory_order_relaxed) == 0);
  data_ = bytes.data();
  size_ = bytes.size();
  references_.store(1, std::memory_order_relaxed);
  return SendBufferRef(this);
}

SendBufferRef::SendBufferRef(const SendBufferRef& other) noexcept : buffer_(other.buffer_) {
  if (buffer_ != nullptr) buffer_->references_.fetch_add(1, std::memory_order_relaxed);
}

SendBufferRef::~SendBufferRef() {
  if (buffer_ == nullptr) return;
  // Release, so that the last one sees what the others read as done; acquire, for the last one.
  if (buffer_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) SendBuffer::Free(buffer_);
}

}  // namespace netcore
