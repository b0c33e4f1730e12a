// One packet a command.
#include "chat/client/request.h"

#include "netcore/base/assert.h"

namespace samples::chat {

Problem ProblemOf(const Command& command) noexcept {
  if (command.name.size() > kMaxNameBytes) return Problem::kNameTooLong;
  return command.text.size() > kMaxTextBytes ? Problem::kTextTooLong : Problem::kNone;
}

Request RequestOf(const Command& command) {
  switch (command.kind) {
    case CommandKind::kSay:
      return {PacketType::kChat, command.text};
    case CommandKind::kName:
      return {PacketType::kSetName, command.name};
    case CommandKind::kJoin:
      return {PacketType::kJoin, command.name};
    case CommandKind::kLeave:
      return {PacketType::kLeave};
    case CommandKind::kList:
      return {PacketType::kList};
    case CommandKind::kWho:
      return {PacketType::kWho};
    case CommandKind::kPrivate:
      return {PacketType::kPrivate, MakePrivate(command.name, command.text)};
    case CommandKind::kNothing:
    case CommandKind::kHelp:
    case CommandKind::kQuit:
    case CommandKind::kWrong:
      break;
  }
  NETCORE_ASSERT(false);
  return {};
}

}  // namespace samples::chat
