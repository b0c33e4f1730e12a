// What a stream of bytes means in a format, said once more and in the plainest way: for tests that
// hold netcore's framing against it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "netcore/session/packet_format.h"

namespace netcore::test {

struct ReferencePacket {
  std::uint32_t type = 0;
  std::vector<std::byte> header;
  std::vector<std::byte> payload;

  friend bool operator==(const ReferencePacket&, const ReferencePacket&) = default;
};

enum class StreamEnd : std::uint8_t {
  kAtEdge,     // behind a whole packet, or there was nothing
  kInside,     // a packet was begun
  kBadLength,  // a length that is none
};

struct ReferenceStream {
  std::vector<ReferencePacket> packets;
  StreamEnd end = StreamEnd::kAtEdge;
  std::size_t open_bytes = 0;  // of the packet that was begun
};

inline std::uint64_t ReferenceNumber(std::span<const std::byte> stream, std::size_t offset,
                                     std::size_t width, std::endian order) {
  std::uint64_t number = 0;
  for (std::size_t index = 0; index < width; ++index) {
    const std::size_t place =
        order == std::endian::big ? offset + index : offset + width - 1 - index;
    number = number * 256 + std::to_integer<std::uint64_t>(stream[place]);
  }
  return number;
}

/// `format` is valid.
inline ReferenceStream ReferenceDecode(const PacketFormat& format,
                                       std::span<const std::byte> stream) {
  ReferenceStream result;
  std::size_t at = 0;
  while (at < stream.size()) {
    const std::uint64_t left = stream.size() - at;
    result.open_bytes = left;
    result.end = StreamEnd::kInside;
    if (left < format.header_size) return result;
    std::uint64_t whole =
        ReferenceNumber(stream, at + format.length_offset, format.length_width, format.byte_order);
    if (!format.length_counts_header) whole += format.header_size;
    if (whole < format.header_size ||
        whole > std::uint64_t{format.header_size} + format.max_payload_size) {
      result.end = StreamEnd::kBadLength;
      return result;
    }
    if (left < whole) return result;
    ReferencePacket packet;
    if (format.type_width > 0) {
      packet.type = static_cast<std::uint32_t>(
          ReferenceNumber(stream, at + format.type_offset, format.type_width, format.byte_order));
    }
    const auto bytes = stream.subspan(at, static_cast<std::size_t>(whole));
    packet.header.assign(bytes.begin(), bytes.begin() + format.header_size);
    packet.payload.assign(bytes.begin() + format.header_size, bytes.end());
    result.packets.push_back(std::move(packet));
    at += bytes.size();
    result.end = StreamEnd::kAtEdge;
    result.open_bytes = 0;
  }
  return result;
}

}  // namespace netcore::test
