// InputHistory: the lines that were typed before, and a walk through them.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace samples::chat {

/// Owns: the last kMost lines, and the one that was being typed when the walk began.
class InputHistory {
 public:
  static constexpr std::size_t kMost = 200;

  /// Ends a walk. A line that repeats the one before it is not kept twice.
  void Add(std::string_view line);

  /// The line before; none at the oldest. `current` is what stands there now, kept if it is the one
  /// that was being typed. What is returned holds until the next call.
  std::optional<std::string_view> Older(std::string_view current);

  /// The way back; none at the line that was being typed.
  std::optional<std::string_view> Newer();

 private:
  std::deque<std::string> lines_;  // the oldest first
  std::size_t back_ = 0;           // how far the walk has come; 0 is the line that is being typed
  std::string typed_;
};

}  // namespace samples::chat
