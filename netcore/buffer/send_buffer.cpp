// The one allocation of a SendBuffer: the object, and right behind it the bytes.
#include "netcore/buffer/send_buffer.h"

#include <cstdint>
#include <cstring>
#include <new>

namespace netcore {

SendBufferRef SendBuffer::Create(std::size_t size) { return SendBufferRef(Allocate(size, size)); }

SendBufferRef SendBuffer::Copy(std::span<const std::byte> bytes) {
  SendBufferRef buffer = Create(bytes.size());
  if (!bytes.empty()) std::memcpy(buffer->Data(), bytes.data(), bytes.size());
  return buffer;
}

SendBuffer* SendBuffer::Allocate(std::size_t size, std::size_t capacity) {
  if (capacity > SIZE_MAX - sizeof(SendBuffer)) throw std::bad_alloc();
  void* const memory = ::operator new(sizeof(SendBuffer) + capacity);
  return ::new (memory) SendBuffer(size, capacity);
}

void SendBuffer::Free(SendBuffer* buffer) noexcept {
  buffer->~SendBuffer();
  ::operator delete(static_cast<void*>(buffer));
}

std::byte* SendBuffer::Data() const noexcept {
  return reinterpret_cast<std::byte*>(const_cast<SendBuffer*>(this) + 1);
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
