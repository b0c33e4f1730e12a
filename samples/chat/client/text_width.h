// How text looks on a terminal: how many columns it takes, and what of a stranger's text may be
// shown at all. Knows no terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace samples::chat {

/// False for what would move the cursor, change colours or turn the direction of writing instead of
/// being seen.
bool IsShowable(char32_t code_point) noexcept;

/// Columns: 0 for what is drawn onto the character before it, 2 for what East Asia writes wide,
/// otherwise 1.
std::size_t WidthOf(char32_t code_point) noexcept;

/// The same of text, which is UTF-8.
std::size_t WidthOf(std::string_view text) noexcept;

/// `text`, with U+FFFD for what is not UTF-8 or not showable. Throws std::bad_alloc.
std::string Showable(std::string_view text);

/// Where the character that begins at `at` ends, with all that is drawn onto it. `at` is not the
/// end of `text`, which is UTF-8.
std::size_t NextCharacter(std::string_view text, std::size_t at) noexcept;

/// Where the character that ends at `at` begins. `at` is not 0.
std::size_t PreviousCharacter(std::string_view text, std::size_t at) noexcept;

}  // namespace samples::chat
