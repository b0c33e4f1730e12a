#include "netcore/session/packet_reader.h"

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

namespace netcore {

PacketReader::Found PacketReader::Next(std::span<std::byte>& bytes, PacketView& packet) noexcept {
  try {
    return NextOf(bytes, packet);
  } catch (const std::bad_alloc&) {
    return Found::kNoMemory;
  }
}

PacketReader::Found PacketReader::NextOf(std::span<std::byte>& bytes, PacketView& packet) {
  buffer_.Consume(std::exchange(shown_, 0));
  if (buffer_.Empty()) return NextInPlace(bytes, packet);
  if (!Complete(format_.header_size, bytes)) return FindNothing();
  const std::optional<std::uint32_t> size = format_.PayloadSize(buffer_.Bytes());
  if (!size) return Found::kBadLength;
  const std::size_t whole = std::size_t{format_.header_size} + *size;
  if (!Complete(whole, bytes)) return FindNothing();
  packet = ViewOf(buffer_.Bytes().first(whole));
  shown_ = whole;
  return Found::kPacket;
}

PacketReader::Found PacketReader::NextInPlace(std::span<std::byte>& bytes, PacketView& packet) {
  std::size_t whole = format_.header_size;
  if (bytes.size() >= whole) {
    const std::optional<std::uint32_t> size = format_.PayloadSize(bytes);
    if (!size) return Found::kBadLength;
    whole += *size;
    if (bytes.size() >= whole) {
      packet = ViewOf(bytes.first(whole));
      bytes = bytes.subspan(whole);
      return Found::kPacket;
    }
  }
  if (!bytes.empty()) buffer_.Append(std::exchange(bytes, {}), whole);
  return FindNothing();
}

PacketReader::Found PacketReader::FindNothing() {
  holding_ = false;
  buffer_.Trim();
  return Found::kNothing;
}

// Moves bytes behind those that were kept until there are `whole`. False if there are less.
bool PacketReader::Complete(std::size_t whole, std::span<std::byte>& bytes) {
  if (buffer_.Size() >= whole) return true;
  const std::size_t count = std::min(whole - buffer_.Size(), bytes.size());
  buffer_.Append(bytes.first(count), whole);
  bytes = bytes.subspan(count);
  return buffer_.Size() == whole;
}

PacketView PacketReader::ViewOf(std::span<std::byte> whole) const noexcept {
  const std::span<std::byte> header = whole.first(format_.header_size);
  return {.type = format_.Type(header),
          .header = header,
          .payload = whole.subspan(format_.header_size)};
}

bool PacketReader::Hold(std::span<const std::byte> bytes) noexcept {
  buffer_.Consume(std::exchange(shown_, 0));
  try {
    if (!bytes.empty()) buffer_.Append(bytes, buffer_.Size() + bytes.size());
  } catch (const std::bad_alloc&) {
    return false;
  }
  holding_ = !buffer_.Empty();
  return true;
}

void PacketReader::Clear() noexcept {
  buffer_.Clear();
  shown_ = 0;
  holding_ = false;
}

}  // namespace netcore
