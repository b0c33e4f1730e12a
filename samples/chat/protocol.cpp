// Payloads to values and back. What comes is from a stranger: every length is checked.
#include "chat/protocol.h"

#include <algorithm>
#include <charconv>

#include "netcore/base/assert.h"

namespace samples::chat {
namespace {

std::optional<std::size_t> ParseCount(std::string_view text) noexcept {
  std::size_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || stop != end) return std::nullopt;
  return count;
}

// "\tand 7 more" to 7.
std::optional<std::size_t> ParseCut(std::string_view line) noexcept {
  constexpr std::string_view kMore = " more";
  if (!line.starts_with(kCut) || !line.ends_with(kMore)) return std::nullopt;
  if (line.size() <= kCut.size() + kMore.size()) return std::nullopt;
  return ParseCount(line.substr(kCut.size(), line.size() - kCut.size() - kMore.size()));
}

// Calls `take` with each line; a list without lines has none. Returns what was cut off, and none as
// soon as `take` refuses or something follows the cut.
template <typename Take>
std::optional<std::size_t> TakeLines(std::string_view text, Take&& take) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (line.starts_with('\t')) {
      return end == std::string_view::npos ? ParseCut(line) : std::nullopt;
    }
    if (!take(line)) return std::nullopt;
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return 0;
}

}  // namespace

std::string_view TextOf(std::span<const std::byte> payload) noexcept {
  return {reinterpret_cast<const char*>(payload.data()), payload.size()};
}

std::span<const std::byte> BytesOf(std::string_view text) noexcept {
  return std::as_bytes(std::span(text));
}

std::optional<Line> ParseLine(std::span<const std::byte> payload) noexcept {
  const std::string_view text = TextOf(payload);
  const std::size_t said = text.find(kSaid);
  if (said == std::string_view::npos) return std::nullopt;
  return Line{text.substr(0, said), text.substr(said + kSaid.size())};
}

std::optional<Line> ParsePrivate(std::span<const std::byte> payload) noexcept {
  if (payload.empty()) return std::nullopt;
  const auto name_bytes = std::to_integer<std::size_t>(payload.front());
  const std::string_view rest = TextOf(payload.subspan(1));
  if (name_bytes > rest.size()) return std::nullopt;
  return Line{rest.substr(0, name_bytes), rest.substr(name_bytes)};
}

std::string MakePrivate(std::string_view name, std::string_view text) {
  NETCORE_ASSERT(name.size() <= kMaxNameBytes);
  std::string payload;
  payload.reserve(1 + name.size() + text.size());
  payload += static_cast<char>(name.size());
  payload += name;
  payload += text;
  return payload;
}

std::optional<RoomList> ParseRooms(std::span<const std::byte> payload) {
  RoomList list;
  const auto more = TakeLines(TextOf(payload), [&](std::string_view line) {
    const std::size_t tab = line.find('\t');
    if (tab == 0 || tab == std::string_view::npos) return false;
    const std::optional<std::size_t> members = ParseCount(line.substr(tab + 1));
    if (members) list.rooms.push_back({line.substr(0, tab), *members});
    return members.has_value();
  });
  if (!more) return std::nullopt;
  list.more = *more;
  return list;
}

std::optional<NameList> ParseNames(std::span<const std::byte> payload) {
  NameList list;
  const auto more = TakeLines(TextOf(payload), [&](std::string_view line) {
    list.names.push_back(line);
    return !line.empty();
  });
  if (!more) return std::nullopt;
  list.more = *more;
  return list;
}

std::string_view CodeOfNotice(std::string_view notice) noexcept {
  const std::size_t colon = notice.find(": ");
  if (colon == std::string_view::npos) return {};
  const std::string_view code = notice.substr(0, colon);
  const bool is_word = std::all_of(code.begin(), code.end(), [](char c) {
    return c == '-' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
  return is_word ? code : std::string_view();
}

}  // namespace samples::chat
