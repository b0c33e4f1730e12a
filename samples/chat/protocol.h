// The chat's protocol: types, limits, and how payloads are made and read. Shared by the server, the
// client and the load bot; docs/chat-protocol.md says what each packet means. Knows no session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "netcore/session/packet_format.h"

namespace samples::chat {

inline constexpr int kDefaultPort = 12345;

/// The type field of a packet, both ways.
enum class PacketType : std::uint8_t {
  kChat = 1,      // to the server: text; to the room: "name : text"
  kSetName = 2,   // the name that is wanted; the name that it is now
  kPing = 4,      // empty: are you there; otherwise sent back as it is
  kNotice = 8,    // from the server: an error behind a code word, or news behind "* "
  kJoin = 16,     // a room's name; the room that it is now
  kLeave = 17,    // empty: back to the lobby
  kList = 18,     // empty; the rooms
  kWho = 19,      // empty; the names in the room
  kPrivate = 20,  // the other's name, and text
  kEarlier = 21,  // from the server: "name : text" that was said before one came
};

inline constexpr std::size_t kMaxTextBytes = 4096;
inline constexpr std::size_t kMaxNameCharacters = 32;  // of a person or a room: code points
inline constexpr std::size_t kMaxNameBytes = 4 * kMaxNameCharacters;

/// The largest payloads. Whoever announces a longer one is hung up on.
inline constexpr std::uint32_t kMaxRequestBytes = 8 * 1024;  // to the server
inline constexpr std::uint32_t kMaxAnswerBytes = 64 * 1024;  // from the server

/// How packets are told apart: what the server reads, and what a client reads.
constexpr netcore::PacketFormat RequestFormat() noexcept {
  return netcore::PacketFormat::TypeLengthPayload(kMaxRequestBytes);
}
constexpr netcore::PacketFormat AnswerFormat() noexcept {
  return netcore::PacketFormat::TypeLengthPayload(kMaxAnswerBytes);
}

/// The room where everybody begins.
inline constexpr std::string_view kLobby = "lobby";

/// Between a speaker's name and what was said. No name has it in it, nor begins it at its end.
inline constexpr std::string_view kSaid = " : ";

/// Begins a notice that is no error.
inline constexpr std::string_view kNews = "* ";

/// Begins the last line of a list that was cut; behind it stands how many are missing: "\tand 7
/// more".
inline constexpr std::string_view kCut = "\tand ";

/// Points into the payload that it was read from.
struct Line {
  std::string_view name;
  std::string_view text;
};

struct RoomEntry {
  std::string_view name;
  std::size_t members = 0;
};

struct RoomList {
  std::vector<RoomEntry> rooms;
  std::size_t more = 0;  // that were left out
};

struct NameList {
  std::vector<std::string_view> names;
  std::size_t more = 0;
};

// A payload as text, and text as a payload.
std::string_view TextOf(std::span<const std::byte> payload) noexcept;
std::span<const std::byte> BytesOf(std::string_view text) noexcept;

/// Of kChat and kEarlier from the server. None if it has not that form.
std::optional<Line> ParseLine(std::span<const std::byte> payload) noexcept;

/// Of kPrivate, both ways: u8 length of the name in bytes, the name, the text. None if the name
/// goes beyond the end; what is in name and text is not looked at.
std::optional<Line> ParsePrivate(std::span<const std::byte> payload) noexcept;

/// The payload of kPrivate. A name of at most kMaxNameBytes.
std::string MakePrivate(std::string_view name, std::string_view text);

/// Of kList and kWho from the server. None if a line has not that form.
std::optional<RoomList> ParseRooms(std::span<const std::byte> payload);
std::optional<NameList> ParseNames(std::span<const std::byte> payload);

/// The code word of a notice that is an error: "name-taken" of "name-taken: the name "bob" is
/// taken". Empty if it is news.
std::string_view CodeOfNotice(std::string_view notice) noexcept;

}  // namespace samples::chat
