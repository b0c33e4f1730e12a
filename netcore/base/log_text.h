// What a log line may consist of, and how any text is made into one. For netcore's own sources.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace netcore {

/// The most bytes of text in one log line. A longer line is cut and says by how much.
inline constexpr std::size_t kLongestLogLine = 8 * 1024;

/// Returns true if `text` is at most kLongestLogLine bytes of valid UTF-8 without a character that
/// MakeLogLine replaces. Never throws.
bool IsLogLine(std::string_view text) noexcept;

/// Makes any text into one line that is valid UTF-8, shows in the order in which it is written and
/// moves no cursor. Replaces with \xNN, for each byte:
///  - control characters: U+0000 to U+001F (so also tabs and line breaks), U+007F, and U+0080 to
///    U+009F, which terminals obey too;
///  - U+2028 and U+2029, at which some viewers break lines;
///  - U+202A to U+202E and U+2066 to U+2069, which change the order in which text is shown;
///  - bytes that are not valid UTF-8: overlong forms, surrogates, values above U+10FFFF, characters
///    that are cut short.
/// All else stays byte for byte, also a backslash: a log is made to be read, not to be decoded.
/// What would pass kLongestLogLine bytes is cut at a character, or before a replaced byte, and
/// " ... (N bytes cut)" is added, where N counts bytes of `text`. Throws std::bad_alloc.
///
/// `reserved`: how many bytes the caller adds behind the text, which is then cut early enough for
/// all of it to be one log line.
std::string MakeLogLine(std::string_view text, std::size_t reserved = 0);

}  // namespace netcore
