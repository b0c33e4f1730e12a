// Key: what was pressed, whatever bytes the terminal sends for it.
#pragma once

#include <cstdint>
#include <string>

namespace samples::chat {

enum class KeyCode : std::uint8_t {
  kText,
  kEnter,
  kBackspace,
  kDelete,
  kLeft,
  kRight,
  kUp,
  kDown,
  kHome,
  kEnd,
  kKillToStart,  // Ctrl-U
  kKillToEnd,    // Ctrl-K
  kKillWord,     // Ctrl-W
  kRedraw,       // Ctrl-L
  kInterrupt,    // Ctrl-C
  kEndOfInput,   // Ctrl-D
};

struct Key {
  KeyCode code = KeyCode::kText;
  std::string text{};  // of kText: characters that may be shown, in UTF-8

  friend bool operator==(const Key&, const Key&) = default;
};

}  // namespace samples::chat
