// The sequences of xterm, the Linux console, and Windows' virtual terminal input.
#include "chat/client/key_decoder.h"

#include <utf8.h>

#include <optional>
#include <utility>

#include "chat/client/text_width.h"

namespace samples::chat {
namespace {

constexpr char kEscapeByte = 0x1b;
constexpr std::size_t kMaxSequence = 32;

constexpr char Control(char letter) noexcept { return static_cast<char>(letter & 0x1f); }

std::optional<KeyCode> KeyOfControl(char byte) noexcept {
  switch (byte) {
    case Control('A'):
      return KeyCode::kHome;
    case Control('B'):
      return KeyCode::kLeft;
    case Control('C'):
      return KeyCode::kInterrupt;
    case Control('D'):
      return KeyCode::kEndOfInput;
    case Control('E'):
      return KeyCode::kEnd;
    case Control('F'):
      return KeyCode::kRight;
    case Control('H'):
    case 0x7f:
      return KeyCode::kBackspace;
    case Control('K'):
      return KeyCode::kKillToEnd;
    case Control('L'):
      return KeyCode::kRedraw;
    case Control('N'):
      return KeyCode::kDown;
    case Control('P'):
      return KeyCode::kUp;
    case Control('U'):
      return KeyCode::kKillToStart;
    case Control('W'):
      return KeyCode::kKillWord;
    default:
      return std::nullopt;
  }
}

std::optional<KeyCode> KeyOfLetter(char letter) noexcept {
  switch (letter) {
    case 'A':
      return KeyCode::kUp;
    case 'B':
      return KeyCode::kDown;
    case 'C':
      return KeyCode::kRight;
    case 'D':
      return KeyCode::kLeft;
    case 'F':
      return KeyCode::kEnd;
    case 'H':
      return KeyCode::kHome;
    default:
      return std::nullopt;
  }
}

std::optional<KeyCode> KeyOfNumber(std::string_view number) noexcept {
  if (number == "1" || number == "7") return KeyCode::kHome;
  if (number == "4" || number == "8") return KeyCode::kEnd;
  if (number == "3") return KeyCode::kDelete;
  return std::nullopt;
}

std::size_t LengthOf(char lead) noexcept {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte < 0x80) return 1;
  if (byte >= 0xc2 && byte < 0xe0) return 2;
  if (byte >= 0xe0 && byte < 0xf0) return 3;
  if (byte >= 0xf0 && byte < 0xf5) return 4;
  return 0;
}

bool IsContinuation(char byte) noexcept { return (static_cast<unsigned char>(byte) >> 6) == 2; }

}  // namespace

std::vector<Key> KeyDecoder::Decode(std::string_view bytes) {
  for (const char byte : bytes) TakeByte(byte);
  return std::exchange(keys_, {});
}

void KeyDecoder::TakeByte(char byte) {
  switch (state_) {
    case State::kText:
      return TakeText(byte);
    case State::kEscape:
      state_ = State::kText;
      if (byte == '[') state_ = State::kSequence;
      if (byte == 'O') state_ = State::kLetter;
      if (byte == kEscapeByte) state_ = State::kEscape;
      return sequence_.clear();
    case State::kSequence:
      return TakeSequence(byte);
    case State::kLetter:
      state_ = State::kText;
      if (const auto key = KeyOfLetter(byte); key && !pasting_) Press(*key);
      return;
  }
}

void KeyDecoder::TakeText(char byte) {
  const bool ends_return = std::exchange(after_return_, false) && byte == '\n';
  if (ends_return) return;
  if (!part_.empty() && IsContinuation(byte)) {
    part_ += byte;
    if (part_.size() == LengthOf(part_.front())) TakePart();
    return;
  }
  part_.clear();
  if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) return TakeControl(byte);
  if (LengthOf(byte) == 0) return;
  part_ = byte;
  if (LengthOf(byte) == 1) TakePart();
}

void KeyDecoder::TakeControl(char byte) {
  if (byte == kEscapeByte) {
    state_ = State::kEscape;
  } else if (byte == '\r' || byte == '\n') {
    after_return_ = byte == '\r';
    Press(KeyCode::kEnter);
  } else if (byte == '\t') {
    part_ = ' ';
    TakePart();
  } else if (const auto key = KeyOfControl(byte); key && !pasting_) {
    Press(*key);
  }
}

void KeyDecoder::TakeSequence(char byte) {
  const bool goes_on = byte >= 0x20 && byte < 0x40;
  if (goes_on && sequence_.size() < kMaxSequence) {
    sequence_ += byte;
  } else if (!goes_on) {
    state_ = State::kText;
    const bool is_last = byte >= 0x40 && byte < 0x7f;
    if (is_last) return EndSequence(byte);
    TakeText(byte);  // it was cut short
  }
}

void KeyDecoder::EndSequence(char last) {
  const std::string_view number = std::string_view(sequence_).substr(0, sequence_.find(';'));
  if (last == '~' && (number == "200" || number == "201")) {
    pasting_ = number == "200";
    after_return_ = false;
    return;
  }
  const auto key = last == '~' ? KeyOfNumber(number) : KeyOfLetter(last);
  if (key && !pasting_) Press(*key);
}

void KeyDecoder::TakePart() {
  const std::string character = std::exchange(part_, {});
  if (!utf8::is_valid(character.begin(), character.end())) return;
  if (!IsShowable(static_cast<char32_t>(utf8::unchecked::peek_next(character.begin())))) return;
  if (keys_.empty() || keys_.back().code != KeyCode::kText) keys_.push_back({});
  keys_.back().text += character;
}

void KeyDecoder::Press(KeyCode code) { keys_.push_back({.code = code}); }

}  // namespace samples::chat
