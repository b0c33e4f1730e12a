// Growth of the joining buffer.
#include "netcore/buffer/recv_buffer.h"

#include <algorithm>

#include "netcore/base/assert.h"

namespace netcore {
namespace {

constexpr std::size_t kSmallestRoom = 64;  // so that a header that drips in is not moved each time

}  // namespace

void RecvBuffer::Append(std::span<const std::byte> bytes, std::size_t whole) {
  Trim();
  const std::size_t needed = bytes_.size() + bytes.size();
  if (needed > bytes_.capacity()) {
    const std::size_t doubled = std::max(2 * bytes_.capacity(), kSmallestRoom);
    bytes_.reserve(std::max(needed, std::min(doubled, whole)));
  }
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void RecvBuffer::Consume(std::size_t count) noexcept {
  NETCORE_ASSERT(count <= Size());
  begin_ += count;
  if (Empty()) Clear();
}

void RecvBuffer::Trim() {
  if (begin_ == 0) return;
  const std::span<const std::byte> waiting = Bytes();
  bytes_ = std::vector<std::byte>(waiting.begin(), waiting.end());
  begin_ = 0;
}

void RecvBuffer::Clear() noexcept {
  bytes_ = std::vector<std::byte>();
  begin_ = 0;
}

}  // namespace netcore
