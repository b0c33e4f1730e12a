// Reading and writing the two numbers of a header.
#include "netcore/session/packet_format.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "netcore/base/assert.h"

namespace netcore {
namespace {

constexpr bool IsWidth(std::uint8_t width) noexcept {
  return width == 1 || width == 2 || width == 4;
}

// Where the byte of the value's `index`th lowest eight bits stands in its field.
std::size_t PlaceOf(std::size_t index, std::size_t width, std::endian order) noexcept {
  return order == std::endian::little ? index : width - 1 - index;
}

std::uint32_t ReadField(std::span<const std::byte> field, std::endian order) noexcept {
  std::uint32_t value = 0;
  for (std::size_t index = 0; index < field.size(); ++index) {
    value |= std::to_integer<std::uint32_t>(field[PlaceOf(index, field.size(), order)])
             << (8 * index);
  }
  return value;
}

void WriteField(std::span<std::byte> field, std::uint32_t value, std::endian order) noexcept {
  for (std::size_t index = 0; index < field.size(); ++index) {
    field[PlaceOf(index, field.size(), order)] =
        static_cast<std::byte>((value >> (8 * index)) & 0xffU);
  }
}

Error Wrong(const std::string& what) {
  return Error(ErrorCode::kInvalidArgument, 0, "packet format: " + what);
}

}  // namespace

Error PacketFormat::Validate() const {
  if (!IsWidth(length_width)) {
    return Wrong("length_width is " + std::to_string(length_width) + ", not 1, 2 or 4");
  }
  if (type_width != 0 && !IsWidth(type_width)) {
    return Wrong("type_width is " + std::to_string(type_width) + ", not 0, 1, 2 or 4");
  }
  const int length_end = length_offset + length_width;
  const int type_end = type_offset + type_width;
  if (length_end > header_size) {
    return Wrong("the length ends at byte " + std::to_string(length_end) + " of a header of " +
                 std::to_string(header_size));
  }
  if (type_width != 0 && type_end > header_size) {
    return Wrong("the type ends at byte " + std::to_string(type_end) + " of a header of " +
                 std::to_string(header_size));
  }
  if (type_width != 0 && type_offset < length_end && length_offset < type_end) {
    return Wrong("the type and the length overlap");
  }
  if (byte_order != std::endian::big && byte_order != std::endian::little) {
    return Wrong("byte_order is neither big nor little");
  }
  const std::uint64_t longest =
      std::uint64_t{max_payload_size} + (length_counts_header ? header_size : 0U);
  if (longest > LargestOf(length_width)) {
    return Wrong("max_payload_size " + std::to_string(max_payload_size) +
                 " is more than the length can say");
  }
  if (max_payload_size > kLargestPayloadSize) {
    return Wrong("max_payload_size " + std::to_string(max_payload_size) + " is more than " +
                 std::to_string(kLargestPayloadSize));
  }
  return {};
}

std::optional<std::uint32_t> PacketFormat::PayloadSize(
    std::span<const std::byte> header) const noexcept {
  NETCORE_ASSERT(header.size() >= header_size);
  std::uint32_t size = ReadField(header.subspan(length_offset, length_width), byte_order);
  if (length_counts_header) {
    if (size < header_size) return std::nullopt;
    size -= header_size;
  }
  if (size > max_payload_size) return std::nullopt;
  return size;
}

std::uint32_t PacketFormat::Type(std::span<const std::byte> header) const noexcept {
  if (type_width == 0) return 0;
  NETCORE_ASSERT(header.size() >= header_size);
  return ReadField(header.subspan(type_offset, type_width), byte_order);
}

bool PacketFormat::CanSay(std::uint32_t type, std::size_t payload_size) const noexcept {
  return payload_size <= max_payload_size && type <= LargestOf(type_width);
}

void PacketFormat::WriteHeader(std::span<std::byte> header, std::uint32_t type,
                               std::size_t payload_size) const noexcept {
  NETCORE_ASSERT(header.size() == header_size && CanSay(type, payload_size));
  std::fill(header.begin(), header.end(), std::byte{0});
  const std::size_t length = payload_size + (length_counts_header ? header_size : 0U);
  WriteField(header.subspan(length_offset, length_width), static_cast<std::uint32_t>(length),
             byte_order);
  if (type_width == 0) return;
  WriteField(header.subspan(type_offset, type_width), type, byte_order);
}

SendBufferRef MakePacket(const PacketFormat& format, std::uint32_t type,
                         std::span<const std::byte> payload) {
  if (!format.CanSay(type, payload.size())) {
    throw std::length_error("MakePacket: type " + std::to_string(type) + " with " +
                            std::to_string(payload.size()) +
                            " bytes is more than the packet format can say");
  }
  SendBufferRef packet = SendBuffer::Create(format.header_size + payload.size());
  const std::span<std::byte> bytes = packet->Writable();
  format.WriteHeader(bytes.first(format.header_size), type, payload.size());
  std::copy(payload.begin(), payload.end(), bytes.begin() + format.header_size);
  return packet;
}

SendBufferRef MakePacket(const PacketFormat& format, std::span<const std::byte> payload) {
  return MakePacket(format, 0, payload);
}

}  // namespace netcore
