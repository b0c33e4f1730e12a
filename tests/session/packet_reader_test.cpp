// PacketReader against a plain decoder of the whole stream; see also framing_fuzz.
#include "netcore/session/packet_reader.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/packet_reference.h"
#include "tests/support/test_packets.h"

namespace netcore {
namespace {

using Bytes = std::vector<std::byte>;
using Found = PacketReader::Found;
using test::AsBytes;
using test::NewSeed;
using test::RandomStream;
using test::ReferenceDecode;
using test::ReferencePacket;
using test::ReferenceStream;
using test::StreamEnd;
using test::TestFormats;

ReferencePacket CopyOf(const PacketView& view) {
  return {view.type,
          {view.header.begin(), view.header.end()},
          {view.payload.begin(), view.payload.end()}};
}

TEST_CASE("the same bytes cut at random give the same packets and the same end, in all formats",
          "[packet_reader][row5]") {
  const std::uint32_t seed = NewSeed();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 3'000; ++round) {
    const PacketFormat& format = TestFormats()[random() % TestFormats().size()];
    const std::string text = RandomStream(format, 60, random);
    const std::span<const std::byte> stream = AsBytes(text);
    const ReferenceStream expected = ReferenceDecode(format, stream);
    PacketReader reader(format);
    std::vector<ReferencePacket> packets;
    bool bad = false;
    const std::size_t longest = 1 + random() % 3'000;
    for (std::size_t at = 0; at < stream.size() && !bad;) {
      const std::size_t size = std::min(1 + random() % longest, stream.size() - at);
      const std::span<const std::byte> piece = stream.subspan(at, size);
      Bytes received(piece.begin(), piece.end());
      at += size;
      std::span<std::byte> bytes = received;
      PacketView packet;
      Found found = Found::kPacket;
      while ((found = reader.Next(bytes, packet)) == Found::kPacket) {
        packets.push_back(CopyOf(packet));
        if (random() % 8 != 0) continue;
        REQUIRE(reader.Hold(bytes));
        bytes = {};
      }
      bad = found == Found::kBadLength;
    }
    INFO("round " << round);
    REQUIRE(packets == expected.packets);
    REQUIRE(bad == (expected.end == StreamEnd::kBadLength));
    if (!bad) REQUIRE(reader.IsOpen() == (expected.end == StreamEnd::kInside));
  }
}

TEST_CASE("a packet that lies whole in what was received is shown where it lies",
          "[packet_reader]") {
  PacketReader reader(PacketFormat::LengthPrefix(1));
  Bytes received = {std::byte{2}, std::byte{'a'}, std::byte{'b'}, std::byte{1}, std::byte{'c'}};
  std::span<std::byte> bytes = received;
  PacketView packet;
  REQUIRE(reader.Next(bytes, packet) == Found::kPacket);
  CHECK(packet.header.data() == received.data());
  CHECK(packet.payload.data() == received.data() + 1);
  CHECK(packet.payload.size() == 2);
  REQUIRE(reader.Next(bytes, packet) == Found::kPacket);
  CHECK(packet.payload.data() == received.data() + 4);
  CHECK(reader.Next(bytes, packet) == Found::kNothing);
  CHECK(reader.Memory() == 0);
}

TEST_CASE("only the split packet is copied, and its memory is gone with it", "[packet_reader]") {
  PacketReader reader(PacketFormat::LengthPrefix(1));
  Bytes first = {std::byte{3}, std::byte{'a'}};
  std::span<std::byte> bytes = first;
  PacketView packet;
  REQUIRE(reader.Next(bytes, packet) == Found::kNothing);
  CHECK(reader.IsOpen());
  CHECK(reader.Memory() > 0);
  CHECK(reader.Memory() <= 64);
  Bytes second = {std::byte{'b'}, std::byte{'c'}, std::byte{1}, std::byte{'d'}};
  bytes = second;
  REQUIRE(reader.Next(bytes, packet) == Found::kPacket);
  CHECK(packet.payload.size() == 3);
  CHECK(packet.payload[2] == std::byte{'c'});
  REQUIRE(reader.Next(bytes, packet) == Found::kPacket);
  CHECK(packet.payload.data() == second.data() + 3);
  CHECK(reader.Memory() == 0);
  CHECK(reader.Next(bytes, packet) == Found::kNothing);
  CHECK_FALSE(reader.IsOpen());
}

TEST_CASE("a header that promises a megabyte costs nothing until that comes", "[packet_reader]") {
  PacketReader reader(PacketFormat::LengthPrefix(4, 1024 * 1024));
  Bytes received = {std::byte{0}, std::byte{0x10}, std::byte{0}, std::byte{0}, std::byte{1}};
  std::span<std::byte> bytes = received;
  PacketView packet;
  REQUIRE(reader.Next(bytes, packet) == Found::kNothing);
  CHECK(reader.IsOpen());
  CHECK(reader.Memory() <= 64);
}

TEST_CASE("a bad length is kept nowhere, however it comes", "[packet_reader][row2]") {
  const PacketFormat format = PacketFormat::TypeLengthPayload(100);
  Bytes received(1'000, std::byte{7});
  received[1] = received[2] = received[3] = std::byte{0};
  received[4] = std::byte{101};
  PacketView packet;
  SECTION("in one piece") {
    PacketReader reader(format);
    std::span<std::byte> bytes = received;
    CHECK(reader.Next(bytes, packet) == Found::kBadLength);
    CHECK(reader.Memory() == 0);
  }
  SECTION("its header split") {
    PacketReader reader(format);
    std::span<std::byte> bytes = std::span(received).first(3);
    CHECK(reader.Next(bytes, packet) == Found::kNothing);
    bytes = std::span(received).subspan(3);
    CHECK(reader.Next(bytes, packet) == Found::kBadLength);
    CHECK(reader.Memory() <= 64);
    CHECK(bytes.size() == received.size() - format.header_size);
  }
}

TEST_CASE("what is held back is read without new bytes, and what is left of it is trimmed",
          "[packet_reader]") {
  PacketReader reader(PacketFormat::LengthPrefix(1));
  Bytes held;
  for (int count = 0; count < 20'000; ++count) {
    held.push_back(std::byte{1});
    held.push_back(static_cast<std::byte>(count & 0xff));
  }
  held.push_back(std::byte{9});
  REQUIRE(reader.Hold(held));
  CHECK(reader.IsHolding());
  std::span<std::byte> none;
  PacketView packet;
  int count = 0;
  while (reader.Next(none, packet) == Found::kPacket) {
    REQUIRE(packet.payload[0] == static_cast<std::byte>(count++ & 0xff));
    if (count % 1'000 == 0) REQUIRE(reader.Hold({}));
    REQUIRE(reader.IsHolding());
  }
  CHECK(count == 20'000);
  CHECK_FALSE(reader.IsHolding());
  CHECK(reader.IsOpen());
  CHECK(reader.Memory() == 1);
}

TEST_CASE("nothing left to hold back is nothing held", "[packet_reader]") {
  PacketReader reader(PacketFormat::LengthPrefix(1));
  REQUIRE(reader.Hold({}));
  CHECK_FALSE(reader.IsHolding());
}

}  // namespace
}  // namespace netcore
