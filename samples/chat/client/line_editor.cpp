// All by bytes; text_width.h knows where characters begin.
#include "chat/client/line_editor.h"

#include "chat/client/text_width.h"

namespace samples::chat {

void LineEditor::Set(std::string_view text) {
  text_.clear();
  cursor_ = 0;
  Insert(text);
}

void LineEditor::Insert(std::string_view text) {
  std::size_t room = kMaxBytes - text_.size();
  if (room < text.size()) {
    while (room > 0 && (static_cast<unsigned char>(text[room]) >> 6) == 2) --room;
    text = text.substr(0, room);
  }
  text_.insert(cursor_, text);
  cursor_ += text.size();
}

void LineEditor::MoveLeft() noexcept {
  if (cursor_ > 0) cursor_ = PreviousCharacter(text_, cursor_);
}

void LineEditor::MoveRight() noexcept {
  if (cursor_ < text_.size()) cursor_ = NextCharacter(text_, cursor_);
}

void LineEditor::Backspace() {
  if (cursor_ > 0) EraseBefore(PreviousCharacter(text_, cursor_));
}

void LineEditor::Delete() {
  if (cursor_ < text_.size()) text_.erase(cursor_, NextCharacter(text_, cursor_) - cursor_);
}

void LineEditor::KillToStart() { EraseBefore(0); }

void LineEditor::KillToEnd() { text_.erase(cursor_); }

void LineEditor::KillWord() {
  std::size_t from = cursor_;
  while (from > 0 && text_[from - 1] == ' ') --from;
  while (from > 0 && text_[from - 1] != ' ') --from;
  EraseBefore(from);
}

void LineEditor::EraseBefore(std::size_t from) {
  text_.erase(from, cursor_ - from);
  cursor_ = from;
}

}  // namespace samples::chat
