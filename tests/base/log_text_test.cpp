// What a log line keeps of any text, and what becomes of the rest.
#include "netcore/base/log_text.h"

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "netcore/base/log.h"
#include "tests/support/catch.h"
#include "tests/support/log_lines.h"

namespace netcore {
namespace {

struct Row {
  std::string text;
  std::string line;
};

// Another way to say what a line keeps: all valid characters, made from their numbers, so that
// what is not among the bytes that this makes is not valid.
std::string Encode(std::uint32_t character) {
  const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
  if (character < 0x80) return {byte(character)};
  if (character < 0x800) return {byte(0xC0 | character >> 6), byte(0x80 | (character & 0x3F))};
  if (character < 0x10000) {
    return {byte(0xE0 | character >> 12), byte(0x80 | (character >> 6 & 0x3F)),
            byte(0x80 | (character & 0x3F))};
  }
  return {byte(0xF0 | character >> 18), byte(0x80 | (character >> 12 & 0x3F)),
          byte(0x80 | (character >> 6 & 0x3F)), byte(0x80 | (character & 0x3F))};
}

bool IsReplacedCharacter(std::uint32_t character) {
  return character < 0x20 || (character >= 0x7F && character < 0xA0) ||
         (character >= 0x2028 && character <= 0x202E) ||
         (character >= 0x2066 && character <= 0x2069);
}

// The character that `text` begins with, if its own encoding is what `text` begins with.
bool Decode(std::string_view text, std::uint32_t& character, std::size_t& size) {
  const auto at = [&](std::size_t index) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[index]));
  };
  for (size = 1; size <= 4 && size <= text.size(); ++size) {
    character = size == 1 ? at(0) : at(0) & (0xFFU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) character = character << 6 | (at(i) & 0x3F);
    if (character > 0x10FFFF || (character >= 0xD800 && character < 0xE000)) continue;
    if (Encode(character) == text.substr(0, size)) return true;
  }
  return false;
}

std::string Expected(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    std::uint32_t character = 0;
    std::size_t size = 0;
    if (Decode(text, character, size) && !IsReplacedCharacter(character)) {
      line += text.substr(0, size);
      text.remove_prefix(size);
      continue;
    }
    const auto byte = static_cast<unsigned char>(text[0]);
    line += "\\x";
    line += "0123456789abcdef"[byte / 16];
    line += "0123456789abcdef"[byte % 16];
    text.remove_prefix(1);
  }
  return line;
}

TEST_CASE("a log line keeps valid text as it is", "[log]") {
  for (const std::string text :
       {"", "plain", "C:\\x0a", "서버가 시작되었습니다", "é \xC2\xA0 \xEF\xBB\xBF",
        "\xF0\x9F\x8E\xAE", "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF\xEE\x80\x80",
        "\xE2\x80\xA7\xE2\x80\xAF", "\xE2\x81\xA5\xE2\x81\xAA"}) {
    CAPTURE(text);
    CHECK(IsLogLine(text));
    CHECK(MakeLogLine(text) == text);
  }
}

TEST_CASE("a log line shows control characters and invalid bytes by their numbers", "[log]") {
  using namespace std::string_literals;
  const std::vector<Row> rows = {
      {"a\nb\r\n", "a\\x0ab\\x0d\\x0a"},
      {"\tx\0y"s, "\\x09x\\x00y"},
      {"\x1B[2J\x7F", "\\x1b[2J\\x7f"},
      {"\xC2\x80\xC2\x9B\xC2\x9F", "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f"},  // C1
      {"\xE2\x80\xA8\xE2\x80\xA9", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9"},  // separators
      {"\xE2\x80\xAA\xE2\x80\xAE", "\\xe2\\x80\\xaa\\xe2\\x80\\xae"},  // overrides
      {"\xE2\x81\xA6\xE2\x81\xA9", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9"},  // isolates
      {"\xC0\x8A\xC1\xBF", "\\xc0\\x8a\\xc1\\xbf"},                    // overlong
      {"\xE0\x80\x8A\xE0\x9F\xBF", "\\xe0\\x80\\x8a\\xe0\\x9f\\xbf"},  // overlong
      {"\xF0\x80\x80\x8A\xF0\x8F\xBF\xBF", "\\xf0\\x80\\x80\\x8a\\xf0\\x8f\\xbf\\xbf"},
      {"\xED\xA0\x80\xED\xBF\xBF", "\\xed\\xa0\\x80\\xed\\xbf\\xbf"},  // surrogates
      {"\xF4\x90\x80\x80\xF7\xBF\xBF\xBF", "\\xf4\\x90\\x80\\x80\\xf7\\xbf\\xbf\\xbf"},  // too high
      {"\xF8\x88\x80\x80\x80\xFE\xFF", "\\xf8\\x88\\x80\\x80\\x80\\xfe\\xff"},
      {"\xEA\xB0", "\\xea\\xb0"},  // cut short
      {"\xEA\xB0!", "\\xea\\xb0!"},
      {"\xEA\xEA\xB0\x80", "\\xea\xEA\xB0\x80"},  // one that is cut short before a whole one
      {"\x80\xBF", "\\x80\\xbf"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    CHECK_FALSE(IsLogLine(row.text));
    CHECK(MakeLogLine(row.text) == row.line);
    CHECK(IsLogLine(row.line));
  }
}

TEST_CASE("every character is kept or shown by its numbers, as a simple decoder says", "[log]") {
  int wrong = 0;
  for (std::uint32_t character = 0; character <= 0x10FFFF; ++character) {
    const std::string text = Encode(character);
    const bool is_surrogate = character >= 0xD800 && character < 0xE000;
    if (IsLogLine(text) != (!is_surrogate && !IsReplacedCharacter(character))) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("any bytes become the line that a simple decoder makes of them", "[log]") {
  const auto seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const std::string_view likely =
      "\n\x1B\x7F\x80\x8F\x90\x9F\xA0\xA6\xA8\xAE\xBF\xC0\xC1\xC2\xDF\xE0"
      "\xE2\xED\xEF\xF0\xF4\xF5\xFF\x81";
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto left = random() % 24; left > 0; --left) {
      switch (random() % 4) {
        case 0:
          text += static_cast<char>(random() % 256);
          break;
        case 1:
          text += likely[random() % likely.size()];
          break;
        case 2:
          text += Encode(static_cast<std::uint32_t>(random() % 0x3000));
          break;
        default:
          text += Encode(static_cast<std::uint32_t>(random() % 0x110000));
      }
    }
    const std::string expected = Expected(text);
    REQUIRE(MakeLogLine(text) == expected);
    REQUIRE(IsLogLine(text) == (expected == text));
    REQUIRE(IsLogLine(expected));
  }
}

TEST_CASE("a line that is too long is cut at a character and says by how much", "[log]") {
  const std::string longest(kLongestLogLine, 'x');
  CHECK(IsLogLine(longest));
  CHECK(MakeLogLine(longest) == longest);
  CHECK_FALSE(IsLogLine(longest + "x"));
  CHECK(MakeLogLine(longest + "yz") == longest + " ... (2 bytes cut)");
  // The character's three bytes would pass the end by one; so would a byte that is replaced.
  const std::string most = longest.substr(2);
  CHECK(MakeLogLine(most + "\xEA\xB0\x80") == most + " ... (3 bytes cut)");
  CHECK(MakeLogLine(most + "\nx") == most + " ... (2 bytes cut)");
  CHECK(MakeLogLine(std::string(kLongestLogLine, '\n')).size() < kLongestLogLine + 64);
}

TEST_CASE("every line that a log passes on is safe, whoever wrote it", "[log]") {
  test::LogLines lines;
  const Log log(lines.Sink());
  log.Write(LogLevel::kError, "bad packet: x\nnetcore: error: forged\x1B[2J 한국어 \xFF");
  CHECK(lines.All() == "bad packet: x\\x0anetcore: error: forged\\x1b[2J 한국어 \\xff\n");
  log.Write(LogLevel::kError, std::string(100'000, 'x'));
  CHECK(lines.Count(" ... (91808 bytes cut)") == 1);
}

}  // namespace
}  // namespace netcore
