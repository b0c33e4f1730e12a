// A pseudo-random period, entered by each client at another place.
#include "bot/byte_pattern.h"

#include <algorithm>
#include <cstring>
#include <random>

namespace samples {
namespace {

// Primes, so that neither a lost block nor two clients' mixed-up streams look right.
constexpr std::size_t kPeriod = 65521;
constexpr std::size_t kClientStride = 7919;

}  // namespace

BytePattern::BytePattern() {
  std::mt19937 random(11021);
  bytes_.reserve(kPeriod + kMaxSlice);
  for (std::size_t index = 0; index < kPeriod; ++index) {
    bytes_.push_back(static_cast<std::byte>(random() & 0xff));
  }
  for (std::size_t index = 0; index < kMaxSlice; ++index) bytes_.push_back(bytes_[index]);
}

std::span<const std::byte> BytePattern::Slice(std::size_t client, std::uint64_t offset,
                                              std::size_t size) const noexcept {
  const auto begin = static_cast<std::size_t>((offset + client * kClientStride) % kPeriod);
  return std::span(bytes_).subspan(begin, size);
}

bool BytePattern::Matches(std::size_t client, std::uint64_t offset,
                          std::span<const std::byte> bytes) const noexcept {
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), kMaxSlice);
    const std::span<const std::byte> expected = Slice(client, offset, size);
    if (std::memcmp(bytes.data(), expected.data(), size) != 0) return false;
    bytes = bytes.subspan(size);
    offset += size;
  }
  return true;
}

}  // namespace samples
