// What the chat lets through as text and as names: UTF-8 without control characters, of bounded
// length. Knows no packets.
#pragma once

#include <string_view>

#include "chat/problem.h"

namespace samples::chat {

/// 1 to kMaxTextBytes bytes. The first rule that is broken, or kNone.
Problem CheckText(std::string_view text) noexcept;

/// Of a person or a room: 1 to kMaxNameCharacters code points, no space at either end, and not " :"
/// in it, so that "name : text" can be read in one way only. The first rule that is broken, or
/// kNone.
Problem CheckName(std::string_view name) noexcept;

}  // namespace samples::chat
