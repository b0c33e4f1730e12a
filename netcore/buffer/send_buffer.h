// SendBuffer: bytes on their way out, written once and then shared by everyone that sends them.
// One allocation holds the count, the size and the bytes, unless these are somebody else's.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <utility>

namespace netcore {

class SendBuffer;
class SendBufferRef;

/// Whoever has memory to send from that a SendBuffer only borrows. Lifetime: outlives all that it
/// lends.
class SendBufferLender {
 public:
  /// The last reference is gone.
  virtual void TakeBack(SendBuffer& buffer) noexcept = 0;

 protected:
  ~SendBufferLender() = default;
};

/// Owns: its bytes, or borrows them. Lifetime: ends with its last SendBufferRef, or is its
/// lender's. Threads: written by whoever made it until it is first sent; from then on nobody
/// writes, everybody may read.
class SendBuffer {
 public:
  /// `size` bytes, not yet written. Throws std::bad_alloc.
  static SendBufferRef Create(std::size_t size);

  /// A copy of `bytes`. Throws std::bad_alloc.
  static SendBufferRef Copy(std::span<const std::byte> bytes);

  /// With nothing in it: for the lender, who keeps it and lends it again and again.
  explicit SendBuffer(SendBufferLender& lender) noexcept
      : references_(0), data_(nullptr), size_(0), capacity_(0), lender_(&lender) {}

  /// Borrows `bytes` until the lender takes it back. Not while it is lent. Threads: one, for it and
  /// all references to it.
  SendBufferRef Lend(std::span<std::byte> bytes) noexcept;

  SendBuffer(const SendBuffer&) = delete;
  SendBuffer& operator=(const SendBuffer&) = delete;
  ~SendBuffer() = default;

  /// True while there are references.
  bool IsShared() const noexcept { return references_.load(std::memory_order_relaxed) > 0; }

  std::size_t Size() const noexcept { return size_; }
  std::span<const std::byte> Bytes() const noexcept { return {data_, size_}; }

  /// For filling a buffer that nobody else holds yet.
  std::span<std::byte> Writable() noexcept { return {data_, size_}; }

 private:
  friend class SendBufferRef;
  friend class SendBufferPool;

  SendBuffer(std::size_t size, std::size_t capacity) noexcept
      : data_(reinterpret_cast<std::byte*>(this + 1)), size_(size), capacity_(capacity) {}

  static SendBuffer* Allocate(std::size_t size, std::size_t capacity);
  static void Free(SendBuffer* buffer) noexcept;

  std::atomic<std::size_t> references_{1};
  std::byte* data_;
  std::size_t size_;
  std::size_t capacity_;  // what the pool may hand it out with again; 0: what is borrowed
  SendBufferLender* const lender_ = nullptr;
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
