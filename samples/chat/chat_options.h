// What an operator decides about a chat.
#pragma once

#include <chrono>
#include <cstddef>

namespace samples::chat {

struct ChatOptions {
  /// Messages of a room that are kept for those who come later.
  std::size_t history = 20;

  /// Rooms at once, the lobby among them.
  std::size_t max_rooms = 1'000;

  /// A room of at most so many, the lobby aside, is told who comes, goes and changes names: among
  /// thousands who come at once everybody would be told of everybody.
  std::size_t announce_limit = 32;

  /// A third of the time after which a silent client is ended; it is pinged then. Zero: never.
  std::chrono::milliseconds ping_interval{30'000};
};

}  // namespace samples::chat
