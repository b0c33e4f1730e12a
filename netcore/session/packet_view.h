// PacketView: one whole packet, as it is shown to OnPacket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace netcore {

/// Points into what was received. Lifetime: until OnPacket returns; the bytes are yours until then,
/// also to decrypt in place.
struct PacketView {
  std::uint32_t type = 0;  // 0 if the format has none
  std::span<const std::byte> header;
  std::span<std::byte> payload;
};

}  // namespace netcore
