// BytePattern: an endless stream of bytes for each client, of which every byte is known by the
// client's number and its offset, so that what comes back can be checked wherever TCP cuts it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace samples {

/// Owns: one period of the pattern. Threads: any, after its constructor.
class BytePattern {
 public:
  /// Slices can be as long as this.
  static constexpr std::size_t kMaxSlice = 64 * 1024;

  BytePattern();

  /// `size` bytes, kMaxSlice at most, from `offset` on in the stream of `client`.
  std::span<const std::byte> Slice(std::size_t client, std::uint64_t offset,
                                   std::size_t size) const noexcept;

  /// Whether `bytes` are what Slice returns. Of any size.
  bool Matches(std::size_t client, std::uint64_t offset,
               std::span<const std::byte> bytes) const noexcept;

 private:
  std::vector<std::byte> bytes_;  // one period, and kMaxSlice of the next
};

}  // namespace samples
