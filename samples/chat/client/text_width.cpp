// A small table after Unicode's East Asian Width and its combining marks; a terminal that counts a
// rare character otherwise only draws the line a little off.
#include "chat/client/text_width.h"

#include <utf8.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>

namespace samples::chat {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

constexpr Range kZeroWidth[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489},   {0x0591, 0x05bd},   {0x0610, 0x061a}, {0x064b, 0x065f},
    {0x0670, 0x0670}, {0x06d6, 0x06dc},   {0x06df, 0x06e4},   {0x0900, 0x0902}, {0x093c, 0x093c},
    {0x0941, 0x0948}, {0x094d, 0x094d},   {0x0e31, 0x0e31},   {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e},
    {0x1160, 0x11ff}, {0x1ab0, 0x1aff},   {0x1dc0, 0x1dff},   {0x200b, 0x200f}, {0x2060, 0x2064},
    {0x20d0, 0x20ff}, {0x302a, 0x302d},   {0x3099, 0x309a},   {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
    {0xfeff, 0xfeff}, {0x1f3fb, 0x1f3ff}, {0xe0100, 0xe01ef},
};

constexpr Range kWide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x23e9, 0x23ec},   {0x25fd, 0x25fe},
    {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26aa, 0x26ab},   {0x26bd, 0x26be},
    {0x26c4, 0x26c5},   {0x26d4, 0x26d4},   {0x26f2, 0x26f5},   {0x2705, 0x2705},
    {0x270a, 0x270b},   {0x2728, 0x2728},   {0x274c, 0x274c},   {0x2753, 0x2757},
    {0x2795, 0x2797},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2e80, 0x303e},
    {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},
    {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
    {0xff01, 0xff60},   {0xffe0, 0xffe6},   {0x1f004, 0x1f004}, {0x1f18e, 0x1f18e},
    {0x1f191, 0x1f19a}, {0x1f200, 0x1f320}, {0x1f32d, 0x1f64f}, {0x1f680, 0x1f6ff},
    {0x1f7e0, 0x1f7eb}, {0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
};

bool IsIn(std::span<const Range> ranges, char32_t code_point) noexcept {
  const auto range = std::lower_bound(ranges.begin(), ranges.end(), code_point,
                                      [](const Range& r, char32_t c) { return r.last < c; });
  return range != ranges.end() && range->first <= code_point;
}

char32_t CodePointAt(std::string_view text, std::size_t at) noexcept {
  return static_cast<char32_t>(utf8::unchecked::peek_next(text.data() + at));
}

}  // namespace

bool IsShowable(char32_t code_point) noexcept {
  const bool is_control = code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
  const bool turns = (code_point >= 0x202a && code_point <= 0x202e) ||
                     (code_point >= 0x2066 && code_point <= 0x2069);
  const bool ends_line = code_point == 0x2028 || code_point == 0x2029;
  return !is_control && !turns && !ends_line;
}

std::size_t WidthOf(char32_t code_point) noexcept {
  if (code_point < 0x300) return 1;
  if (IsIn(kZeroWidth, code_point)) return 0;
  return IsIn(kWide, code_point) ? 2 : 1;
}

std::size_t WidthOf(std::string_view text) noexcept {
  std::size_t width = 0;
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    width += WidthOf(static_cast<char32_t>(utf8::unchecked::next(at)));
  }
  return width;
}

std::string Showable(std::string_view text) {
  constexpr std::uint32_t kReplacement = 0xfffd;
  std::string valid;
  utf8::replace_invalid(text.begin(), text.end(), std::back_inserter(valid), kReplacement);
  std::string shown;
  shown.reserve(valid.size());
  const char* const end = valid.data() + valid.size();
  for (const char* at = valid.data(); at != end;) {
    const auto code_point = static_cast<std::uint32_t>(utf8::unchecked::next(at));
    utf8::unchecked::append(IsShowable(code_point) ? code_point : kReplacement,
                            std::back_inserter(shown));
  }
  return shown;
}

std::size_t NextCharacter(std::string_view text, std::size_t at) noexcept {
  const char* next = text.data() + at;
  const char* const end = text.data() + text.size();
  do {
    utf8::unchecked::next(next);
  } while (next != end && WidthOf(static_cast<char32_t>(utf8::unchecked::peek_next(next))) == 0);
  return static_cast<std::size_t>(next - text.data());
}

std::size_t PreviousCharacter(std::string_view text, std::size_t at) noexcept {
  do {
    const char* before = text.data() + at;
    utf8::unchecked::prior(before);
    at = static_cast<std::size_t>(before - text.data());
  } while (at > 0 && WidthOf(CodePointAt(text, at)) == 0);
  return at;
}

}  // namespace samples::chat
