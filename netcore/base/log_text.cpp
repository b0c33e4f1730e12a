// Finds the characters that a log line keeps.
#include "netcore/base/log_text.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace netcore {
namespace {

using CodePoint = std::uint32_t;

// What a first byte says: how many bytes follow, the bits of the character that it has itself, and
// the lowest character that needs so many.
struct Lead {
  std::size_t more;
  CodePoint bits;
  CodePoint lowest;
};

bool ReadLead(unsigned char byte, Lead& lead) noexcept {
  if (byte < 0x80) {
    lead = {0, byte, 0};
  } else if (byte >= 0xC0 && byte < 0xE0) {
    lead = {1, byte & 0x1FU, 0x80};
  } else if (byte >= 0xE0 && byte < 0xF0) {
    lead = {2, byte & 0x0FU, 0x800};
  } else if (byte >= 0xF0 && byte < 0xF8) {
    lead = {3, byte & 0x07U, 0x10000};
  } else {
    return false;
  }
  return true;
}

bool IsBetween(CodePoint value, CodePoint first, CodePoint last) noexcept {
  return first <= value && value <= last;
}

bool IsKept(CodePoint character) noexcept {
  if (character < 0x20 || IsBetween(character, 0x7F, 0x9F)) return false;
  if (IsBetween(character, 0x2028, 0x202E) || IsBetween(character, 0x2066, 0x2069)) return false;
  return !IsBetween(character, 0xD800, 0xDFFF) && character <= 0x10FFFF;
}

// How many bytes the character at the beginning of `text`, which is not empty, has: zero where it
// is none, or one that a log line does not keep.
std::size_t KeptSize(std::string_view text) noexcept {
  Lead lead;
  if (!ReadLead(static_cast<unsigned char>(text[0]), lead)) return 0;
  const std::size_t size = 1 + lead.more;
  if (size > text.size()) return 0;
  CodePoint character = lead.bits;
  for (const char next : text.substr(1, lead.more)) {
    const auto byte = static_cast<unsigned char>(next);
    if ((byte & 0xC0U) != 0x80U) return 0;
    character = (character << 6U) | (byte & 0x3FU);
  }
  return character >= lead.lowest && IsKept(character) ? size : 0;
}

}  // namespace

bool IsLogLine(std::string_view text) noexcept {
  if (text.size() > kLongestLogLine) return false;
  while (!text.empty()) {
    const std::size_t size = KeptSize(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string MakeLogLine(std::string_view text, std::size_t reserved) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  constexpr std::size_t kNote = 48;  // room for the note of what was cut
  const std::size_t longest = reserved == 0
                                  ? kLongestLogLine
                                  : kLongestLogLine - std::min(kLongestLogLine, reserved + kNote);
  std::string line;
  line.reserve(std::min(text.size() + text.size() / 4, kLongestLogLine) + 32);
  while (!text.empty()) {
    const std::size_t kept = KeptSize(text);
    const auto byte = static_cast<unsigned char>(text[0]);
    const std::array<char, 4> replaced = {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 0x0FU]};
    const std::string_view piece =
        kept > 0 ? text.substr(0, kept) : std::string_view(replaced.data(), replaced.size());
    if (line.size() + piece.size() > longest) {
      return line + " ... (" + std::to_string(text.size()) + " bytes cut)";
    }
    line += piece;
    text.remove_prefix(std::max<std::size_t>(kept, 1));
  }
  return line;
}

}  // namespace netcore
