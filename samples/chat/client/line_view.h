// LineView: which part of the line that is being typed is on the screen. Knows the sequences that
// draw it, and no terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "chat/client/line_editor.h"

namespace samples::chat {

///     |room> ...part of the text with the cursor in it... |
///      prompt, unless it takes too much                    the last column stays free, or the
///                                                          terminal would wrap
///
/// One row always: a longer line scrolls sideways.
class LineView {
 public:
  /// What erases the row that Draw drew, wherever the cursor stands in it.
  static constexpr std::string_view kErase = "\r\x1b[K";

  /// What draws the line, and puts the cursor where it belongs. `prompt` is showable. Throws
  /// std::bad_alloc.
  std::string Draw(std::string_view prompt, const LineEditor& line, std::size_t columns);

 private:
  void Scroll(const LineEditor& line, std::size_t room) noexcept;

  std::size_t first_ = 0;  // bytes of the text that are left of the screen
};

}  // namespace samples::chat
