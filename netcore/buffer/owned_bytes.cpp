#include "netcore/buffer/owned_bytes.h"

#include <cstring>

#include "netcore/buffer/bytes_returns.h"

namespace netcore {

OwnedBytes OwnedBytes::Copy(std::span<const std::byte> bytes) {
  return OwnedBytes(BytesBlock::Allocate(bytes.size(), nullptr), bytes);
}

OwnedBytes::OwnedBytes(BytesBlock& block, std::span<const std::byte> bytes) noexcept
    : block_(&block) {
  block.size = bytes.size();
  if (!bytes.empty()) std::memcpy(block.Data(), bytes.data(), bytes.size());
}

void OwnedBytes::Reset() noexcept {
  if (block_ == nullptr) return;
  BytesBlock& block = *std::exchange(block_, nullptr);
  if (block.Home() != nullptr) {
    block.Home()->Return(block);
  } else {
    BytesBlock::Free(block);
  }
}

}  // namespace netcore
