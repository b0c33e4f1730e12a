// KeyDecoder: from the bytes of a terminal to keys. Knows no terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "chat/client/key.h"

namespace samples::chat {

///     text --ESC--> escape --[--> sequence --its last byte--> text
///                     |  \--O--> letter --any--> text
///                     \--any other: Alt and a key, which means nothing here--> text
///
/// What comes may be cut anywhere. Escape sequences that are not known, bytes that are not UTF-8,
/// and characters that can't be shown are dropped. A tab is a space. In a bracketed paste only the
/// ends of lines are keys; all other control characters are dropped.
///
/// Owns: the part of a sequence or a character that has come, of bounded size.
class KeyDecoder {
 public:
  /// The keys that `bytes` complete. Text that stands together is one key.
  std::vector<Key> Decode(std::string_view bytes);

 private:
  enum class State : std::uint8_t { kText, kEscape, kSequence, kLetter };

  void TakeByte(char byte);
  void TakeText(char byte);
  void TakeControl(char byte);
  void TakeSequence(char byte);
  void EndSequence(char last);
  void TakePart();
  void Press(KeyCode code);

  State state_ = State::kText;
  std::string sequence_;  // between "ESC [" and its last byte
  std::string part_;      // of a character
  bool pasting_ = false;
  bool after_return_ = false;  // a line feed now belongs to it
  std::vector<Key> keys_;
};

}  // namespace samples::chat
