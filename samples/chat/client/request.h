// Request: what a command asks of the server, as a packet. Knows no connection.
#pragma once

#include <string>

#include "chat/client/command.h"
#include "chat/problem.h"
#include "chat/protocol.h"

namespace samples::chat {

struct Request {
  PacketType type = PacketType::kChat;
  std::string payload{};
};

/// What is too long for the server to refuse: it would hang up on who sends that. kNone for all
/// else, which is the server's to look at.
Problem ProblemOf(const Command& command) noexcept;

/// Of a command for the server, without a problem. Throws std::bad_alloc.
Request RequestOf(const Command& command);

}  // namespace samples::chat
