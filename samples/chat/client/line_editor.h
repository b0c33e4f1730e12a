// LineEditor: one line of text that is being typed, and the cursor in it. Knows neither keys nor
// the terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace samples::chat {

///     h e l l o   w|o r l d         | the cursor: bytes before it, at the edge of a character
///
/// A character is moved over and removed together with all that is drawn onto it.
///
/// Owns: the text, of bounded size. Threads: as a std::string.
class LineEditor {
 public:
  static constexpr std::size_t kMaxBytes = 8 * 1024;

  std::string_view Text() const noexcept { return text_; }
  std::size_t Cursor() const noexcept { return cursor_; }

  /// Replaces everything; the cursor stands at the end. `text` is UTF-8; what is above kMaxBytes is
  /// cut off, as with Insert.
  void Set(std::string_view text);
  void Insert(std::string_view text);

  void MoveLeft() noexcept;
  void MoveRight() noexcept;
  void MoveHome() noexcept { cursor_ = 0; }
  void MoveEnd() noexcept { cursor_ = text_.size(); }

  /// Removes the character before the cursor, and the one behind it.
  void Backspace();
  void Delete();

  void KillToStart();
  void KillToEnd();

  /// Removes the word before the cursor, and the spaces between them.
  void KillWord();

 private:
  void EraseBefore(std::size_t from);

  std::string text_;
  std::size_t cursor_ = 0;
};

}  // namespace samples::chat
