// Framing: any bytes, in any format, received in any pieces and with any pauses, give the packets
// and the end that a plain decoder finds in the whole of them; and what is kept meanwhile is
// bounded by what has arrived. Formats that mean nothing are refused in words.
//
// An input is a format, what is sent back in it, the pieces, and then the stream.
#include <algorithm>
#include <bit>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "netcore/session/packet_format.h"
#include "netcore/session/packet_reader.h"
#include "tests/fuzz/fuzz_support.h"
#include "tests/support/packet_reference.h"

namespace netcore {
namespace {

using Bytes = std::vector<std::byte>;
using test::ReferencePacket;
using test::ReferenceStream;
using test::StreamEnd;

std::uint32_t Number32(fuzz::Decisions& decisions) {
  const std::size_t high = decisions.Number16();
  return static_cast<std::uint32_t>(high << 16U | decisions.Number16());
}

// Mostly small, so that inputs reach it.
std::uint32_t Maximum(fuzz::Decisions& decisions) {
  const std::uint32_t number = Number32(decisions);
  return number >> decisions.Below(32);
}

PacketFormat AnyFormat(fuzz::Decisions& decisions) {
  switch (decisions.Below(6)) {
    case 0:
      return PacketFormat::TypeLengthPayload(Maximum(decisions));
    case 1:
      return PacketFormat::SizeAndId(Maximum(decisions));
    case 2:
      return PacketFormat::LengthPrefix(decisions.Byte(), Maximum(decisions));
    case 3:
      return PacketFormat::LengthPrefix(decisions.Byte());
    default:
      break;
  }
  PacketFormat format;
  format.header_size = decisions.Byte();
  format.length_offset = decisions.Byte();
  format.length_width = decisions.Byte();
  format.length_counts_header = decisions.Below(2) == 1;
  format.type_offset = decisions.Byte();
  format.type_width = decisions.Byte();
  format.byte_order = decisions.Below(2) == 1 ? std::endian::little : std::endian::big;
  format.max_payload_size = Maximum(decisions);
  return format;
}

// Whether a format means something, byte by byte of its header.
bool IsSound(const PacketFormat& format) {
  const auto width_is = [](int width) { return width == 1 || width == 2 || width == 4; };
  if (!width_is(format.length_width)) return false;
  if (format.type_width != 0 && !width_is(format.type_width)) return false;
  std::vector<int> used(format.header_size);
  const auto use = [&used](int offset, int width) {
    for (int place = offset; place < offset + width; ++place) {
      if (place >= static_cast<int>(used.size()) || used[static_cast<std::size_t>(place)]++ > 0)
        return false;
    }
    return true;
  };
  if (!use(format.length_offset, format.length_width)) return false;
  if (!use(format.type_offset, format.type_width)) return false;
  std::uint64_t says = 1;
  for (int index = 0; index < format.length_width; ++index) says *= 256;
  const std::uint64_t longest =
      std::uint64_t{format.max_payload_size} +
      (format.length_counts_header ? std::uint64_t{format.header_size} : 0);
  return longest < says && format.max_payload_size <= PacketFormat::kLargestPayloadSize;
}

class FramingRun {
 public:
  explicit FramingRun(fuzz::Decisions decisions)
      : decisions_(decisions), format_(AnyFormat(decisions_)), reader_(format_) {}

  void Run() {
    const Error error = format_.Validate();
    FUZZ_REQUIRE(!error == IsSound(format_));
    if (error) return CheckWords(error.Message());
    SendSome();
    DrawPieces();
    while (!decisions_.Empty()) stream_.push_back(static_cast<std::byte>(decisions_.Byte()));
    expected_ = test::ReferenceDecode(format_, stream_);
    ReceivePieces();
    FUZZ_REQUIRE(packets_ == expected_.packets);
    FUZZ_REQUIRE(bad_ == (expected_.end == StreamEnd::kBadLength));
    if (!bad_) FUZZ_REQUIRE(reader_.IsOpen() == (expected_.end == StreamEnd::kInside));
    reader_.Clear();
    FUZZ_REQUIRE(reader_.Memory() == 0);
  }

 private:
  static void CheckWords(const std::string& text) {
    FUZZ_REQUIRE(!text.empty());
    for (const char letter : text)
      FUZZ_REQUIRE(std::isprint(static_cast<unsigned char>(letter)) != 0);
  }

  // Packets of ours stand at the front of the stream, and are read like any other.
  void SendSome() {
    for (std::size_t count = decisions_.Below(4); count > 0; --count) {
      const std::uint32_t type = Number32(decisions_) >> decisions_.Below(32);
      const Bytes payload(decisions_.Below(200), static_cast<std::byte>(decisions_.Byte()));
      const std::uint64_t types = std::uint64_t{1} << (8U * format_.type_width);
      const bool fits = payload.size() <= format_.max_payload_size && type < types;
      FUZZ_REQUIRE(format_.CanSay(type, payload.size()) == fits);
      try {
        const SendBufferRef packet = MakePacket(format_, type, payload);
        FUZZ_REQUIRE(fits);
        const ReferenceStream read = test::ReferenceDecode(format_, packet->Bytes());
        FUZZ_REQUIRE(read.end == StreamEnd::kAtEdge && read.packets.size() == 1);
        FUZZ_REQUIRE(read.packets[0].type == type && read.packets[0].payload == payload);
        stream_.insert(stream_.end(), packet->Bytes().begin(), packet->Bytes().end());
      } catch (const std::length_error&) {
        FUZZ_REQUIRE(!fits);
      }
    }
  }

  void DrawPieces() {
    for (std::size_t count = decisions_.Below(32); count > 0; --count) {
      const std::size_t size = decisions_.Byte();
      pieces_.push_back({size % 128 == 0 ? decisions_.Number16() : size % 128, size >= 128});
    }
  }

  void ReceivePieces() {
    std::size_t at = 0;
    for (const Piece& piece : pieces_) {
      const std::size_t size = std::min(piece.size, stream_.size() - at);
      if (!Receive(std::span(stream_).subspan(at, size), piece.pauses)) return;
      at += size;
    }
    Receive(std::span(stream_).subspan(at), false);
  }

  // One recv. With a pause behind each packet if so told. False when the stream is bad.
  bool Receive(std::span<const std::byte> stream, bool pauses) {
    Bytes received(stream.begin(), stream.end());  // of its own, so that a step outside shows
    std::span<std::byte> bytes = received;
    PacketView packet;
    for (;;) {
      switch (reader_.Next(bytes, packet)) {
        case PacketReader::Found::kPacket:
          TakePacket(packet);
          if (pauses) {
            FUZZ_REQUIRE(reader_.Hold(std::exchange(bytes, {})));
            std::fill(received.begin(), received.end(), std::byte{0xcc});
          }
          continue;
        case PacketReader::Found::kNothing:
          FUZZ_REQUIRE(bytes.empty() && !reader_.IsHolding());
          taken_ += stream.size();
          return CheckOpen();
        case PacketReader::Found::kBadLength:
          bad_ = true;
          return false;
        case PacketReader::Found::kNoMemory:
          FUZZ_REQUIRE(false);
      }
    }
  }

  void TakePacket(const PacketView& packet) {
    packets_.push_back({packet.type,
                        {packet.header.begin(), packet.header.end()},
                        {packet.payload.begin(), packet.payload.end()}});
    std::fill(packet.payload.begin(), packet.payload.end(), std::byte{0xdd});  // the user's
  }

  // What is kept is the open packet and little more.
  bool CheckOpen() const {
    const ReferenceStream so_far = test::ReferenceDecode(format_, std::span(stream_).first(taken_));
    FUZZ_REQUIRE(so_far.end != StreamEnd::kBadLength);
    FUZZ_REQUIRE(reader_.IsOpen() == (so_far.end == StreamEnd::kInside));
    const std::size_t bound = so_far.open_bytes == 0 ? 0 : 64 + 2 * so_far.open_bytes;
    FUZZ_REQUIRE(reader_.Memory() <= bound);
    return true;
  }

  struct Piece {
    std::size_t size;
    bool pauses;
  };

  fuzz::Decisions decisions_;
  const PacketFormat format_;
  PacketReader reader_;
  Bytes stream_;
  std::vector<Piece> pieces_;
  ReferenceStream expected_;
  std::vector<ReferencePacket> packets_;
  std::size_t taken_ = 0;
  bool bad_ = false;
};

}  // namespace
}  // namespace netcore

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  netcore::FramingRun(netcore::fuzz::Decisions({data, size})).Run();
  return 0;
}
