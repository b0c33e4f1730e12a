// LineList: the text of a list, a line each, that fits into one packet.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "chat/protocol.h"

namespace samples::chat {

/// Owns: the text. Threads: one.
class LineList {
 public:
  /// Lines for which there is no room are counted. Throws std::bad_alloc.
  void Add(std::string_view line);

  /// The lines, and how many are missing, if any are. Once.
  std::string Take() &&;

 private:
  // The last line: "\tand 18446744073709551615 more".
  static constexpr std::size_t kCutBytes = 40;

  std::string text_;
  std::size_t missing_ = 0;
};

}  // namespace samples::chat
