// SendBuffer: bytes on their way out, written once and then shared by everyone that sends them.
// One allocation holds the count, the size and the bytes.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <utility>

namespace netcore {

class SendBufferRef;

/// Owns: its bytes. Lifetime: ends with its last SendBufferRef.
/// Threads: written by whoever made it until it is first sent; from then on nobody writes,
/// everybody may read.
class SendBuffer {
 public:
  /// `size` bytes, not yet written. Throws std::bad_alloc.
  static SendBufferRef Create(std::size_t size);

  /// A copy of `bytes`. Throws std::bad_alloc.
  static SendBufferRef Copy(std::span<const std::byte> bytes);

  SendBuffer(const SendBuffer&) = delete;
  SendBuffer& operator=(const SendBuffer&) = delete;

  std::size_t Size() const noexcept { return size_; }
  std::span<const std::byte> Bytes() const noexcept { return {Data(), size_}; }

  /// For filling a buffer that nobody else holds yet.
  std::span<std::byte> Writable() noexcept { return {Data(), size_}; }

 private:
  friend class SendBufferRef;
  friend class SendBufferPool;

  SendBuffer(std::size_t size, std::size_t capacity) noexcept : size_(size), capacity_(capacity) {}
  ~SendBuffer() = default;

  static SendBuffer* Allocate(std::size_t size, std::size_t capacity);
  static void Free(SendBuffer* buffer) noexcept;

  std::byte* Data() const noexcept;

  std::atomic<std::size_t> references_{1};
  std::size_t size_;
  std::size_t
      capacity_;  // what the allocation has room for: the pool hands it out again with another size
};

/// A share in a SendBuffer. Threads: one reference as a std::shared_ptr; copies may go to any
/// thread.
class SendBufferRef {
 public:
  SendBufferRef() noexcept = default;
  SendBufferRef(const SendBufferRef& other) noexcept;
  SendBufferRef(SendBufferRef&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  SendBufferRef& operator=(SendBufferRef other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~SendBufferRef();

  explicit operator bool() const noexcept { return buffer_ != nullptr; }
  SendBuffer* operator->() const noexcept { return buffer_; }
  SendBuffer& operator*() const noexcept { return *buffer_; }

 private:
  friend class SendBuffer;
  friend class SendBufferPool;

  explicit SendBufferRef(SendBuffer* adopted) noexcept : buffer_(adopted) {}

  SendBuffer* buffer_ = nullptr;
};

}  // namespace netcore
