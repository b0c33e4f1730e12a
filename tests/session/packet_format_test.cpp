// What a header says and what it may not say.
#include "netcore/session/packet_format.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"

namespace netcore {
namespace {

using Bytes = std::vector<std::byte>;

Bytes BytesOf(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

Bytes HeaderOf(const PacketFormat& format, std::uint32_t type, std::size_t size) {
  Bytes header(format.header_size, std::byte{0xee});
  format.WriteHeader(header, type, size);
  return header;
}

std::string Wrong(const PacketFormat& format) { return format.Validate().Message(); }

TEST_CASE("the ready-made formats say what they are named after", "[packet_format]") {
  const PacketFormat chat = PacketFormat::TypeLengthPayload();
  CHECK(HeaderOf(chat, 7, 0x0203) == BytesOf({7, 0, 0, 2, 3}));
  CHECK(chat.max_payload_size == 65'536);
  const PacketFormat game = PacketFormat::SizeAndId();
  CHECK(HeaderOf(game, 0x0102, 0x0300) == BytesOf({4, 3, 2, 1}));
  CHECK(game.max_payload_size == 65'531);
  CHECK(HeaderOf(PacketFormat::LengthPrefix(1), 0, 200) == BytesOf({200}));
  CHECK(PacketFormat::LengthPrefix(1).max_payload_size == 255);
  CHECK(HeaderOf(PacketFormat::LengthPrefix(2), 0, 0x0102) == BytesOf({1, 2}));
  CHECK(PacketFormat::LengthPrefix(2).max_payload_size == 65'535);
  CHECK(HeaderOf(PacketFormat::LengthPrefix(4), 0, 0x0102) == BytesOf({0, 0, 1, 2}));
  CHECK(PacketFormat::LengthPrefix(4).max_payload_size == 65'536);
  for (const PacketFormat& format :
       {chat, game, PacketFormat::LengthPrefix(1), PacketFormat::LengthPrefix(2),
        PacketFormat::LengthPrefix(4), PacketFormat()}) {
    CHECK_FALSE(format.Validate());
  }
}

TEST_CASE("what is written in a format is read in it", "[packet_format]") {
  const PacketFormat format{.header_size = 12,
                            .length_offset = 7,
                            .length_width = 2,
                            .length_counts_header = true,
                            .type_offset = 1,
                            .type_width = 4,
                            .byte_order = std::endian::little,
                            .max_payload_size = 1'000};
  REQUIRE_FALSE(format.Validate());
  const Bytes header = HeaderOf(format, 0x01020304, 500);
  CHECK(header == BytesOf({0, 4, 3, 2, 1, 0, 0, 0, 2, 0, 0, 0}));
  CHECK(format.PayloadSize(header) == 500U);
  CHECK(format.Type(header) == 0x01020304U);
}

TEST_CASE("a length that counts its header is bad below it and good at it",
          "[packet_format][row1]") {
  const PacketFormat format = PacketFormat::SizeAndId(100);
  for (const int length : {0, 1, 3}) CHECK_FALSE(format.PayloadSize(BytesOf({length, 0, 9, 9})));
  CHECK(format.PayloadSize(BytesOf({4, 0, 9, 9})) == 0U);
}

TEST_CASE("a length that does not count its header may be 0", "[packet_format][row1]") {
  CHECK(PacketFormat::LengthPrefix(2).PayloadSize(BytesOf({0, 0})) == 0U);
}

TEST_CASE("a length is good at the maximum and bad one above it", "[packet_format][row2]") {
  CHECK(PacketFormat::SizeAndId(100).PayloadSize(BytesOf({104, 0, 9, 9})) == 100U);
  CHECK_FALSE(PacketFormat::SizeAndId(100).PayloadSize(BytesOf({105, 0, 9, 9})));
  CHECK(PacketFormat::LengthPrefix(1, 100).PayloadSize(BytesOf({100})) == 100U);
  CHECK_FALSE(PacketFormat::LengthPrefix(1, 100).PayloadSize(BytesOf({101})));
}

TEST_CASE("a length at the edge of its integer is a packet or bad, and nothing else",
          "[packet_format][row6]") {
  const PacketFormat chat = PacketFormat::TypeLengthPayload(PacketFormat::kLargestPayloadSize);
  REQUIRE_FALSE(chat.Validate());
  CHECK(chat.PayloadSize(BytesOf({1, 0x7f, 255, 255, 255})) == 0x7fffffffU);
  CHECK_FALSE(chat.PayloadSize(BytesOf({1, 0x80, 0, 0, 0})));
  CHECK_FALSE(chat.PayloadSize(BytesOf({1, 255, 255, 255, 255})));
  CHECK(PacketFormat::SizeAndId().PayloadSize(BytesOf({255, 255, 9, 9})) == 65'531U);
  CHECK(PacketFormat::LengthPrefix(1).PayloadSize(BytesOf({255})) == 255U);
  const PacketFormat counting{.header_size = 6, .length_counts_header = true};
  REQUIRE_FALSE(counting.Validate());
  CHECK_FALSE(counting.PayloadSize(BytesOf({255, 255, 255, 255, 0, 0})));
  CHECK_FALSE(counting.PayloadSize(BytesOf({0, 0, 0, 5, 0, 0})));
}

TEST_CASE("a format that means nothing is refused by name", "[packet_format]") {
  CHECK(Wrong({.length_width = 3}) ==
        "packet format: length_width is 3, not 1, 2 or 4: invalid argument");
  CHECK(Wrong({.length_width = 0}) ==
        "packet format: length_width is 0, not 1, 2 or 4: invalid argument");
  CHECK(Wrong({.header_size = 8, .type_offset = 4, .type_width = 3}) ==
        "packet format: type_width is 3, not 0, 1, 2 or 4: invalid argument");
  CHECK(Wrong({.header_size = 3}) ==
        "packet format: the length ends at byte 4 of a header of 3: invalid argument");
  CHECK(Wrong({.header_size = 4, .length_width = 2, .type_offset = 3, .type_width = 2}) ==
        "packet format: the type ends at byte 5 of a header of 4: invalid argument");
  CHECK(Wrong({.header_size = 6, .type_offset = 2, .type_width = 4}) ==
        "packet format: the type and the length overlap: invalid argument");
  CHECK(Wrong({.header_size = 6, .length_offset = 2, .type_offset = 0, .type_width = 4}) ==
        "packet format: the type and the length overlap: invalid argument");
  CHECK(Wrong(PacketFormat::LengthPrefix(1, 256)) ==
        "packet format: max_payload_size 256 is more than the length can say: invalid argument");
  CHECK(Wrong(PacketFormat::SizeAndId(65'532)) ==
        "packet format: max_payload_size 65532 is more than the length can say: invalid argument");
  CHECK(Wrong(PacketFormat::TypeLengthPayload(0x80000000U)) ==
        "packet format: max_payload_size 2147483648 is more than 2147483647: invalid argument");
}

TEST_CASE("fields that touch and fill the header are a format", "[packet_format]") {
  CHECK_FALSE(PacketFormat({.header_size = 8, .type_offset = 4, .type_width = 4}).Validate());
  CHECK_FALSE(PacketFormat({.header_size = 8, .length_offset = 4, .type_width = 4}).Validate());
  CHECK_FALSE(PacketFormat({.header_size = 255,
                            .length_width = 1,
                            .length_counts_header = true,
                            .max_payload_size = 0})
                  .Validate());
}

TEST_CASE("a packet for many is one buffer of header and payload", "[packet_format]") {
  const SendBufferRef packet =
      MakePacket(PacketFormat::TypeLengthPayload(), 1, BytesOf({'h', 'i'}));
  CHECK(std::ranges::equal(std::as_const(*packet).Bytes(), BytesOf({1, 0, 0, 0, 2, 'h', 'i'})));
  const SendBufferRef plain = MakePacket(PacketFormat::LengthPrefix(1), BytesOf({'x'}));
  CHECK(std::ranges::equal(std::as_const(*plain).Bytes(), BytesOf({1, 'x'})));
  const SendBufferRef empty = MakePacket(PacketFormat::SizeAndId(), 2, {});
  CHECK(std::ranges::equal(std::as_const(*empty).Bytes(), BytesOf({4, 0, 2, 0})));
}

TEST_CASE("a packet that its format can't say is refused in words", "[packet_format]") {
  const PacketFormat format = PacketFormat::TypeLengthPayload(10);
  CHECK(format.CanSay(255, 10));
  CHECK_FALSE(format.CanSay(255, 11));
  CHECK_FALSE(format.CanSay(256, 10));
  CHECK_FALSE(PacketFormat::LengthPrefix(4).CanSay(1, 0));
  CHECK_THROWS_AS(MakePacket(format, 1, Bytes(11)), std::length_error);
  CHECK_THROWS_AS(MakePacket(format, 256, Bytes(1)), std::length_error);
}

}  // namespace
}  // namespace netcore
