// Lines until there is no room.
#include "chat/line_list.h"

#include <utility>

namespace samples::chat {

void LineList::Add(std::string_view line) {
  const std::size_t size = text_.size() + (text_.empty() ? 0 : 1) + line.size();
  if (missing_ > 0 || size > kMaxAnswerBytes - kCutBytes) {
    ++missing_;
    return;
  }
  if (!text_.empty()) text_ += '\n';
  text_ += line;
}

std::string LineList::Take() && {
  if (missing_ > 0) {
    if (!text_.empty()) text_ += '\n';
    text_.append(kCut).append(std::to_string(missing_)).append(" more");
  }
  return std::move(text_);
}

}  // namespace samples::chat
