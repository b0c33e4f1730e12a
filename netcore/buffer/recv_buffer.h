// RecvBuffer: where the parts of a packet that was received in pieces come together. Knows no
// packets.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace netcore {

///     bytes_   [ consumed | waiting ............ | room ]
///                          ^ begin_               ^ size()     ^ capacity()
///
/// Owns: its bytes; no memory while it is empty. Room is made for twice of what has arrived at most
/// (or for 64 bytes), not for what is announced: who makes us hold a megabyte has sent half of one.
/// Threads: one.
class RecvBuffer {
 public:
  RecvBuffer() = default;
  RecvBuffer(const RecvBuffer&) = delete;
  RecvBuffer& operator=(const RecvBuffer&) = delete;

  bool Empty() const noexcept { return begin_ == bytes_.size(); }
  std::size_t Size() const noexcept { return bytes_.size() - begin_; }

  /// What waits. Holds until the next call that changes the buffer.
  std::span<std::byte> Bytes() noexcept { return std::span(bytes_).subspan(begin_); }

  /// Adds a copy. Makes no room for more than `whole` bytes in all, if that is what is waited for.
  /// Throws std::bad_alloc; the buffer is then as before.
  void Append(std::span<const std::byte> bytes, std::size_t whole);

  /// Drops the first `count` bytes of what waits. Gives back the memory if nothing is left.
  void Consume(std::size_t count) noexcept;

  /// Gives back the memory of what was consumed. Throws std::bad_alloc; the buffer is then as
  /// before.
  void Trim();

  /// Drops everything and gives back the memory.
  void Clear() noexcept;

  /// Bytes of memory that are held.
  std::size_t Capacity() const noexcept { return bytes_.capacity(); }

 private:
  std::vector<std::byte> bytes_;
  std::size_t begin_ = 0;
};

}  // namespace netcore
