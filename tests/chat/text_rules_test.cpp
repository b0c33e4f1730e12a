// What passes as text and as a name, at every edge.
#include "chat/text_rules.h"

#include <string>
#include <string_view>

#include "chat/protocol.h"
#include "tests/support/catch.h"

namespace samples::chat {
namespace {

using namespace std::string_view_literals;

std::string Times(std::size_t count, std::string_view what) {
  std::string text;
  for (std::size_t index = 0; index < count; ++index) text += what;
  return text;
}

TEST_CASE("text of any script passes up to 4,096 bytes", "[chat][text]") {
  for (const std::string_view text :
       {"a"sv, " "sv, "hello : world"sv, "\xc3\xa4"sv, "\xe6\xbc\xa2\xe5\xad\x97"sv,
        "\xf0\x9f\x98\x80"sv, "\xf4\x8f\xbf\xbf"sv, "\xc2\xa0"sv, "~"sv, "\xee\x80\x80"sv}) {
    INFO(text);
    CHECK(CheckText(text) == Problem::kNone);
  }
  CHECK(CheckText(Times(4096, "x")) == Problem::kNone);
  CHECK(CheckText(Times(1024, "\xf0\x9f\x98\x80")) == Problem::kNone);
  CHECK(CheckText(Times(4097, "x")) == Problem::kTextTooLong);
  CHECK(CheckText(Times(1025, "\xf0\x9f\x98\x80")) == Problem::kTextTooLong);
  CHECK(CheckText("") == Problem::kTextEmpty);
}

TEST_CASE("control characters are refused wherever they stand", "[chat][text]") {
  for (const std::string_view character : {"\0"sv, "\1"sv, "\t"sv, "\n"sv, "\r"sv, "\x1b"sv,
                                           "\x1f"sv, "\x7f"sv, "\xc2\x80"sv, "\xc2\x9f"sv}) {
    for (const auto& [before, behind] : {std::pair{""sv, ""sv}, {"a"sv, ""sv}, {""sv, "a"sv}}) {
      const std::string text = std::string(before) + std::string(character) + std::string(behind);
      CHECK(CheckText(text) == Problem::kControlCharacter);
      CHECK(CheckName(text) == Problem::kControlCharacter);
    }
  }
}

TEST_CASE("what is not UTF-8 is refused", "[chat][text]") {
  for (const std::string_view bad : {"\x80"sv,              // a trail alone
                                     "\xc3"sv,              // a lead alone
                                     "\xe6\xbc"sv,          // cut
                                     "\xf0\x9f\x98"sv,      // cut
                                     "\xc0\xaf"sv,          // overlong
                                     "\xe0\x80\xaf"sv,      // overlong
                                     "\xf0\x80\x80\xaf"sv,  // overlong
                                     "\xed\xa0\x80"sv,      // a surrogate
                                     "\xed\xbf\xbf"sv,      // a surrogate
                                     "\xf4\x90\x80\x80"sv,  // beyond the end
                                     "\xf8\x88\x80\x80\x80"sv, "\xfe"sv, "\xff"sv}) {
    for (const auto& [before, behind] : {std::pair{""sv, ""sv}, {"abc"sv, ""sv}, {""sv, "abc"sv}}) {
      const std::string text = std::string(before) + std::string(bad) + std::string(behind);
      CHECK(CheckText(text) == Problem::kBadUtf8);
      CHECK(CheckName(text) == Problem::kBadUtf8);
    }
  }
}

TEST_CASE("a name has 1 to 32 characters, however many bytes each has", "[chat][text]") {
  CHECK(CheckName("") == Problem::kNameEmpty);
  for (const std::string_view character :
       {"x"sv, "\xc3\xa4"sv, "\xe6\xbc\xa2"sv, "\xf0\x9f\x98\x80"sv}) {
    CHECK(CheckName(character) == Problem::kNone);
    CHECK(CheckName(Times(32, character)) == Problem::kNone);
    CHECK(CheckName(Times(33, character)) == Problem::kNameTooLong);
  }
}

TEST_CASE("a name can be told from what its owner says", "[chat][text]") {
  for (const std::string_view name : {"a b"sv, "a:b"sv, "a: b"sv, ":"sv, "::"sv, "\xc2\xa0"sv}) {
    INFO(name);
    CHECK(CheckName(name) == Problem::kNone);
    const std::string line = std::string(name) + std::string(kSaid) + "x : y";
    const auto parsed = ParseLine(BytesOf(line));
    REQUIRE(parsed);
    CHECK(parsed->name == name);
    CHECK(parsed->text == "x : y");
  }
  for (const std::string_view name : {" "sv, " a"sv, "a "sv, "a :"sv, "a : b"sv, "a :b"sv}) {
    INFO(name);
    CHECK(CheckName(name) == Problem::kNameNotAllowed);
  }
}

}  // namespace
}  // namespace samples::chat
