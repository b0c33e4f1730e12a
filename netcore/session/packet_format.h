// PacketFormat: how packets are told apart in a stream of bytes: a header of fixed size with a
// length in it. A plain value; knows no session.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "netcore/base/error.h"
#include "netcore/buffer/send_buffer.h"

namespace netcore {

///     | header: header_size bytes                                    | payload |
///     |   ... | length: length_width at length_offset | ...           |         |
///     |   ... | type: type_width at type_offset       | ...           |         |
///
/// What else is in the header is the user's: it is shown on the way in, and zero on the way out.
struct PacketFormat {
  static constexpr std::uint32_t kDefaultMaxPayloadSize = 64 * 1024;

  /// So that a packet has a size on every system.
  static constexpr std::uint32_t kLargestPayloadSize = std::numeric_limits<std::int32_t>::max();

  std::uint8_t header_size = 4;
  std::uint8_t length_offset = 0;
  std::uint8_t length_width = 4;              // 1, 2 or 4
  bool length_counts_header = false;          // the length is that of the whole packet
  std::uint8_t type_offset = 0;               // without meaning if there is no type
  std::uint8_t type_width = 0;                // 0 (there is none), 1, 2 or 4
  std::endian byte_order = std::endian::big;  // of the length and the type

  /// Bounds the payload, not the whole packet. A length beyond it is bad.
  std::uint32_t max_payload_size = kDefaultMaxPayloadSize;

  /// u8 type, u32 big-endian length of the payload.
  static constexpr PacketFormat TypeLengthPayload(
      std::uint32_t max_payload_size = kDefaultMaxPayloadSize) noexcept {
    return {.header_size = 5,
            .length_offset = 1,
            .length_width = 4,
            .length_counts_header = false,
            .type_offset = 0,
            .type_width = 1,
            .byte_order = std::endian::big,
            .max_payload_size = max_payload_size};
  }

  /// u16 little-endian size of the whole packet, its header included, then u16 little-endian id:
  /// usual in game servers.
  static constexpr PacketFormat SizeAndId(std::uint32_t max_payload_size = 0xffff - 4) noexcept {
    return {.header_size = 4,
            .length_offset = 0,
            .length_width = 2,
            .length_counts_header = true,
            .type_offset = 2,
            .type_width = 2,
            .byte_order = std::endian::little,
            .max_payload_size = max_payload_size};
  }

  /// A length of 1, 2 or 4 bytes, big-endian, that does not count itself: as Erlang's {packet, N}
  /// and Twisted's Int8-, Int16- and Int32StringReceiver.
  static constexpr PacketFormat LengthPrefix(std::uint8_t width,
                                             std::uint32_t max_payload_size) noexcept {
    return {.header_size = width,
            .length_offset = 0,
            .length_width = width,
            .length_counts_header = false,
            .type_offset = 0,
            .type_width = 0,
            .byte_order = std::endian::big,
            .max_payload_size = max_payload_size};
  }

  /// The same with the default maximum, or with all that the width can say if that is less.
  static constexpr PacketFormat LengthPrefix(std::uint8_t width) noexcept {
    return LengthPrefix(width, std::min(kDefaultMaxPayloadSize, LargestOf(width)));
  }

  /// What is wrong with the format, by name: a field of no such width, a field outside of the
  /// header, fields that overlap, a maximum that the length can't say.
  Error Validate() const;

  // The rest is for formats that are valid.

  /// The size of the payload that a whole header announces. None if the length is bad: less than
  /// the header that it counts, or more than max_payload_size. `header` may go on behind its end.
  std::optional<std::uint32_t> PayloadSize(std::span<const std::byte> header) const noexcept;

  /// The type in a whole header; 0 if the format has none.
  std::uint32_t Type(std::span<const std::byte> header) const noexcept;

  /// Whether there is such a packet: the payload is not above the maximum, the type not above its
  /// field. Without a field there is type 0 alone.
  bool CanSay(std::uint32_t type, std::size_t payload_size) const noexcept;

  /// Writes the header of a packet that CanSay is true of; `header` is of header_size.
  void WriteHeader(std::span<std::byte> header, std::uint32_t type,
                   std::size_t payload_size) const noexcept;

  friend bool operator==(const PacketFormat&, const PacketFormat&) = default;

 private:
  static constexpr std::uint32_t LargestOf(std::uint8_t width) noexcept {
    return width >= 4 ? std::numeric_limits<std::uint32_t>::max()
                      : (std::uint32_t{1} << (8U * width)) - 1;
  }
};

/// A packet for many sessions: header and payload in one buffer, to be passed to Session::Send of
/// each. Throws std::length_error for a packet that `format` can't say, and std::bad_alloc.
SendBufferRef MakePacket(const PacketFormat& format, std::uint32_t type,
                         std::span<const std::byte> payload);

/// The same of type 0, which is all there is without a field for it.
SendBufferRef MakePacket(const PacketFormat& format, std::span<const std::byte> payload);

}  // namespace netcore
