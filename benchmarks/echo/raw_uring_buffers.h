// RawUringBuffers: the buffers that the kernel receives into, as a provided buffer ring.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>

namespace bench {

/// As Check, for what says its error by its result, as liburing does.
inline int CheckUring(int result, const char* what) {
  if (result < 0) throw std::system_error(-result, std::generic_category(), what);
  return result;
}

/// Owns: the buffers. Lifetime: the program's. Threads: one.
class RawUringBuffers {
 public:
  static constexpr std::uint16_t kGroup = 0;

  explicit RawUringBuffers(io_uring& ring);

  /// The first `size` bytes of a buffer that the kernel has filled.
  std::span<const std::byte> Take(std::uint16_t id, std::size_t size);

  /// The kernel gets it with the next Publish.
  void Return(std::uint16_t id);
  void Publish();

  bool Empty() const { return free_count_ == 0; }

 private:
  static constexpr std::uint16_t kCount = 512;  // a power of two
  static constexpr std::uint32_t kBytes = 64 * 1024;

  std::byte* At(std::uint16_t id) const { return buffers_ + std::size_t{id} * kBytes; }

  io_uring_buf_ring* ring_ = nullptr;
  std::byte* buffers_ = nullptr;
  std::uint16_t tail_ = 0;
  std::size_t free_count_ = 0;
};

}  // namespace bench
