// Columns are counted, bytes are cut.
#include "chat/client/line_view.h"

#include <algorithm>

#include "chat/client/text_width.h"

namespace samples::chat {

std::string LineView::Draw(std::string_view prompt, const LineEditor& line, std::size_t columns) {
  constexpr std::size_t kFewest = 4;  // a wide character, the cursor, and the free column
  columns = std::max(columns, kFewest);
  if (3 * WidthOf(prompt) > columns) prompt = columns > 2 * kFewest ? "> " : "";
  const std::size_t room = columns - 1 - WidthOf(prompt);
  Scroll(line, room);

  const std::string_view text = line.Text();
  std::size_t end = first_;
  for (std::size_t width = 0; end < text.size();) {
    const std::size_t next = NextCharacter(text, end);
    width += WidthOf(text.substr(end, next - end));
    if (width > room) break;
    end = next;
  }
  std::string drawn(kErase);
  drawn.append(prompt).append(text.substr(first_, end - first_));
  const std::size_t column = WidthOf(prompt) + WidthOf(text.substr(first_, line.Cursor() - first_));
  drawn += '\r';
  if (column > 0) drawn.append("\x1b[").append(std::to_string(column)).append("C");
  return drawn;
}

// The cursor is on the screen, and no room is left empty that text on the left could fill.
void LineView::Scroll(const LineEditor& line, std::size_t room) noexcept {
  const std::string_view text = line.Text();
  first_ = std::min(first_, line.Cursor());
  while (first_ > 0) {
    const std::size_t before = PreviousCharacter(text, first_);
    if (WidthOf(text.substr(before)) > room) break;
    first_ = before;
  }
  while (WidthOf(text.substr(first_, line.Cursor() - first_)) > room) {
    first_ = NextCharacter(text, first_);
  }
}

}  // namespace samples::chat
