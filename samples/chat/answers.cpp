// Written right into the buffer that is sent.
#include "chat/answers.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "netcore/session/packet_format.h"

namespace samples::chat {
namespace {

constexpr netcore::PacketFormat kFormat = AnswerFormat();

netcore::SendBufferRef Join(PacketType type, std::string_view first,
                            std::initializer_list<std::string_view> others) {
  std::size_t size = first.size();
  for (const std::string_view part : others) size += part.size();
  netcore::SendBufferRef packet = netcore::SendBuffer::Create(kFormat.header_size + size);
  std::span<std::byte> room = packet->Writable();
  kFormat.WriteHeader(room.first(kFormat.header_size), static_cast<std::uint8_t>(type), size);
  room = room.subspan(kFormat.header_size);
  const auto append = [&room](std::string_view part) {
    if (!part.empty()) std::memcpy(room.data(), part.data(), part.size());
    room = room.subspan(part.size());
  };
  append(first);
  for (const std::string_view part : others) append(part);
  return packet;
}

}  // namespace

netcore::SendBufferRef MakeAnswer(PacketType type, std::string_view text) {
  return Join(type, text, {});
}

void AppendSaid(std::string& packets, std::string_view name, std::string_view text) {
  std::array<std::byte, kFormat.header_size> header{};
  const std::size_t size = name.size() + kSaid.size() + text.size();
  kFormat.WriteHeader(header, static_cast<std::uint8_t>(PacketType::kChat), size);
  packets.reserve(packets.size() + header.size() + size);  // from here on nothing fails
  packets.append(TextOf(header)).append(name).append(kSaid).append(text);
}

netcore::SendBufferRef MakeNews(std::initializer_list<std::string_view> parts) {
  return Join(PacketType::kNotice, kNews, parts);
}

}  // namespace samples::chat
