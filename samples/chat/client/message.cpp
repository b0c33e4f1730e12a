// What the server sends is not trusted: whatever it holds, it ends as showable text.
#include "chat/client/message.h"

#include <utility>

#include "chat/client/text_width.h"

namespace samples::chat {
namespace {

struct Look {
  std::string_view begins;
  std::string_view colour;  // of SGR
};

constexpr Look LookOf(MessageKind kind) noexcept {
  switch (kind) {
    case MessageKind::kSpeech:
      return {"", ""};
    case MessageKind::kEarlier:
      return {"(earlier) ", "2"};
    case MessageKind::kPrivate:
      return {"[private] ", "35"};
    case MessageKind::kEvent:
      return {"", "36"};
    case MessageKind::kError:
      return {"! ", "31"};
    case MessageKind::kClient:
      return {"-- ", "2"};
  }
  return {};
}

Message Senseless() {
  return {MessageKind::kError, "the server sent something that makes no sense"};
}

std::string Spoken(const Line& line) {
  std::string text("<");
  return text.append(line.name).append("> ").append(line.text);
}

Message Spoken(MessageKind kind, const std::optional<Line>& line) {
  return line ? Message{kind, Spoken(*line)} : Senseless();
}

// "what: one, other, and 7 more"
template <typename Items, typename Text>
Message Listed(std::string_view what, const Items& items, std::size_t more, Text&& text_of) {
  std::string text(what);
  const char* separator = ": ";
  for (const auto& item : items) {
    text.append(separator).append(text_of(item));
    separator = ", ";
  }
  if (more > 0) text.append(separator).append("and ").append(std::to_string(more)).append(" more");
  return {MessageKind::kClient, std::move(text)};
}

Message Rooms(const std::optional<RoomList>& list) {
  if (!list) return Senseless();
  return Listed("rooms", list->rooms, list->more, [](const RoomEntry& room) {
    return std::string(room.name).append(" (").append(std::to_string(room.members)).append(")");
  });
}

Message Names(const std::optional<NameList>& list) {
  if (!list) return Senseless();
  return Listed("here", list->names, list->more, [](std::string_view name) { return name; });
}

Message Place(std::string_view what, std::span<const std::byte> name) {
  return {MessageKind::kClient, std::string(what).append(TextOf(name))};
}

}  // namespace

std::optional<Message> MessageOf(PacketType type, std::span<const std::byte> payload) {
  switch (type) {
    case PacketType::kChat:
      return Spoken(MessageKind::kSpeech, ParseLine(payload));
    case PacketType::kEarlier:
      return Spoken(MessageKind::kEarlier, ParseLine(payload));
    case PacketType::kPrivate:
      return Spoken(MessageKind::kPrivate, ParsePrivate(payload));
    case PacketType::kSetName:
      return Place("you are ", payload);
    case PacketType::kJoin:
      return Place("you are in ", payload);
    case PacketType::kList:
      return Rooms(ParseRooms(payload));
    case PacketType::kWho:
      return Names(ParseNames(payload));
    case PacketType::kNotice: {
      const std::string_view text = TextOf(payload);
      const bool is_news = text.starts_with(kNews);
      return Message{is_news ? MessageKind::kEvent : MessageKind::kError, std::string(text)};
    }
    case PacketType::kPing:
    case PacketType::kLeave:
      break;
  }
  return std::nullopt;
}

std::string LineOf(const Message& message, bool colours) {
  const Look look = LookOf(message.kind);
  std::string line(look.begins);
  line += Showable(message.text);
  if (!colours || look.colour.empty()) return line;
  return std::string("\x1b[").append(look.colour).append("m").append(line).append("\x1b[0m");
}

}  // namespace samples::chat
