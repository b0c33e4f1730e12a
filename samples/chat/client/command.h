// Command: what a typed line asks for. Knows no connection.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace samples::chat {

enum class CommandKind : std::uint8_t {
  kNothing,  // an empty line
  kSay,      // the text
  kName,     // the name
  kJoin,     // the room's name
  kLeave,
  kList,
  kWho,
  kPrivate,  // the name and the text
  kHelp,
  kQuit,
  kWrong,  // the text says why
};

struct Command {
  CommandKind kind = CommandKind::kNothing;
  std::string name{};
  std::string text{};

  friend bool operator==(const Command&, const Command&) = default;
};

/// "/join ROOM" and the like, "//x" for the text "/x", everything else as it is. A name that has
/// spaces stands in quotes where something follows it. What is in names and texts is not looked at.
Command ParseCommand(std::string_view line);

/// All commands, a line each.
std::string_view CommandHelp() noexcept;

}  // namespace samples::chat
