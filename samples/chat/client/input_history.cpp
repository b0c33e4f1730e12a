// Old lines are shown, never changed.
#include "chat/client/input_history.h"

namespace samples::chat {

void InputHistory::Add(std::string_view line) {
  back_ = 0;
  typed_.clear();
  if (line.empty() || (!lines_.empty() && lines_.back() == line)) return;
  lines_.emplace_back(line);
  if (lines_.size() > kMost) lines_.pop_front();
}

std::optional<std::string_view> InputHistory::Older(std::string_view current) {
  if (back_ == lines_.size()) return std::nullopt;
  if (back_ == 0) typed_ = current;
  ++back_;
  return lines_[lines_.size() - back_];
}

std::optional<std::string_view> InputHistory::Newer() {
  if (back_ == 0) return std::nullopt;
  --back_;
  if (back_ == 0) return typed_;
  return lines_[lines_.size() - back_];
}

}  // namespace samples::chat
