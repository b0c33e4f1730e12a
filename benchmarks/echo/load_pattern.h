// LoadPattern: the bytes that a connection's stream is made of, at any place of it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <vector>

namespace bench {

/// Random bytes that repeat every kPeriod, stored long enough that any kPeriod in a row are there.
/// Owns: them. Threads: any, once made.
class LoadPattern {
 public:
  static constexpr std::size_t kPeriod = 64 * 1024;

  LoadPattern() : bytes_(2 * kPeriod) {
    std::mt19937_64 random(1);
    for (std::size_t i = 0; i < kPeriod; ++i) {
      bytes_[i] = bytes_[i + kPeriod] = static_cast<std::byte>(random() & 0xff);
    }
  }

  /// What stands at `offset` of the stream: at most `size` bytes, and at most kPeriod.
  std::span<const std::byte> At(std::uint64_t offset, std::size_t size) const {
    return {bytes_.data() + offset % kPeriod, std::min(size, kPeriod)};
  }

  /// `received` is at most kPeriod long.
  bool Matches(std::uint64_t offset, std::span<const std::byte> received) const {
    return std::memcmp(At(offset, received.size()).data(), received.data(), received.size()) == 0;
  }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace bench
