// UTF-8 is utfcpp's affair: it knows surrogates, overlong forms, and where Unicode ends.
#include "chat/text_rules.h"

#include <utf8.h>

#include <cstddef>
#include <cstdint>

#include "chat/protocol.h"

namespace samples::chat {
namespace {

constexpr bool IsControl(std::uint32_t code_point) noexcept {
  return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

// What is wrong with the characters of `text`; counts them.
Problem CheckCharacters(std::string_view text, std::size_t& count) noexcept {
  const char* const end = text.data() + text.size();
  if (utf8::find_invalid(text.data(), end) != end) return Problem::kBadUtf8;
  count = 0;
  for (const char* at = text.data(); at != end; ++count) {
    if (IsControl(utf8::unchecked::next(at))) return Problem::kControlCharacter;
  }
  return Problem::kNone;
}

}  // namespace

Problem CheckText(std::string_view text) noexcept {
  if (text.empty()) return Problem::kTextEmpty;
  if (text.size() > kMaxTextBytes) return Problem::kTextTooLong;
  std::size_t count = 0;
  return CheckCharacters(text, count);
}

Problem CheckName(std::string_view name) noexcept {
  if (name.empty()) return Problem::kNameEmpty;
  if (name.size() > kMaxNameBytes) return Problem::kNameTooLong;
  std::size_t count = 0;
  if (const Problem problem = CheckCharacters(name, count); problem != Problem::kNone) {
    return problem;
  }
  if (count > kMaxNameCharacters) return Problem::kNameTooLong;
  const bool ends_in_space = name.front() == ' ' || name.back() == ' ';
  if (ends_in_space || name.find(kSaid.substr(0, 2)) != std::string_view::npos) {
    return Problem::kNameNotAllowed;
  }
  return Problem::kNone;
}

}  // namespace samples::chat
