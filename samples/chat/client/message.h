// Message: one line for whoever sits at the client, and how packets become such lines. Knows no
// terminal but its colours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "chat/protocol.h"

namespace samples::chat {

/// What kind of line it is, which its first character tells too: no name can imitate another kind.
enum class MessageKind : std::uint8_t {
  kSpeech,   // <alice> hi
  kEarlier,  // (earlier) <alice> hi
  kPrivate,  // [private] <bob> psst
  kEvent,    // * bob joined
  kError,    // ! name-taken: ...
  kClient,   // -- you are in lobby
};

struct Message {
  MessageKind kind = MessageKind::kClient;
  std::string text{};  // without what its kind begins with; anything: it is made showable last
};

/// What is shown of a packet from the server; none of types that say nothing to a human, or that
/// are not known.
std::optional<Message> MessageOf(PacketType type, std::span<const std::byte> payload);

/// The line, showable and without its end, in the kind's colour if there are any.
std::string LineOf(const Message& message, bool colours);

}  // namespace samples::chat
