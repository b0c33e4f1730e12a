// What terminals send for keys, whole and cut.
#include "chat/client/key_decoder.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/catch.h"

namespace samples::chat {
namespace {

using namespace std::string_view_literals;
using Keys = std::vector<Key>;

Key Text(std::string_view text) { return {.text = std::string(text)}; }
Key Pressed(KeyCode code) { return {.code = code}; }

std::string Around(std::string_view text, std::string_view before, std::string_view behind) {
  return std::string(before).append(text).append(behind);
}

// Byte by byte; text that stands together is joined again.
Keys DecodeCut(std::string_view bytes) {
  KeyDecoder decoder;
  Keys keys;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (Key& key : decoder.Decode(bytes.substr(at, 1))) {
      const bool joins =
          key.code == KeyCode::kText && !keys.empty() && keys.back().code == KeyCode::kText;
      if (joins) {
        keys.back().text += key.text;
      } else {
        keys.push_back(std::move(key));
      }
    }
  }
  return keys;
}

void CheckKeys(std::string_view bytes, const Keys& expected) {
  INFO(Catch::StringMaker<std::string>::convert(std::string(bytes)));
  CHECK((KeyDecoder().Decode(bytes) == expected));
  CHECK((DecodeCut(bytes) == expected));
}

TEST_CASE("text of any script is text", "[chat][keys]") {
  CheckKeys("hello world", {Text("hello world")});
  CheckKeys("\xc3\xa4\xe6\xbc\xa2\xf0\x9f\x98\x80", {Text("\xc3\xa4\xe6\xbc\xa2\xf0\x9f\x98\x80")});
  CheckKeys("a\tb", {Text("a b")});
  CheckKeys("", {});
}

TEST_CASE("each key has its sequences", "[chat][keys]") {
  const std::vector<std::pair<std::string_view, KeyCode>> sequences = {
      {"\r", KeyCode::kEnter},       {"\n", KeyCode::kEnter},         {"\r\n", KeyCode::kEnter},
      {"\x7f", KeyCode::kBackspace}, {"\b", KeyCode::kBackspace},     {"\x1b[3~", KeyCode::kDelete},
      {"\x1b[A", KeyCode::kUp},      {"\x1bOA", KeyCode::kUp},        {"\x1b[B", KeyCode::kDown},
      {"\x1b[C", KeyCode::kRight},   {"\x1b[1;5C", KeyCode::kRight},  {"\x1b[D", KeyCode::kLeft},
      {"\x1b[H", KeyCode::kHome},    {"\x1b[1~", KeyCode::kHome},     {"\x1b[7~", KeyCode::kHome},
      {"\x1bOH", KeyCode::kHome},    {"\1", KeyCode::kHome},          {"\x1b[F", KeyCode::kEnd},
      {"\x1b[4~", KeyCode::kEnd},    {"\x1b[8~", KeyCode::kEnd},      {"\x1bOF", KeyCode::kEnd},
      {"\5", KeyCode::kEnd},         {"\x15", KeyCode::kKillToStart}, {"\x0b", KeyCode::kKillToEnd},
      {"\x17", KeyCode::kKillWord},  {"\x0c", KeyCode::kRedraw},      {"\3", KeyCode::kInterrupt},
      {"\4", KeyCode::kEndOfInput},  {"\x1b\x1b[A", KeyCode::kUp},
  };
  for (const auto& [bytes, code] : sequences) {
    CheckKeys(Around(bytes, "a", "b"), {Text("a"), Pressed(code), Text("b")});
  }
}

TEST_CASE("what means nothing is dropped and the rest is understood", "[chat][keys]") {
  for (const std::string_view bytes :
       {"\x1b[5~"sv, "\x1b[?1;2c"sv, "\x1bx"sv, "\x1bOP"sv, "\x1b[24;5~"sv, "\0"sv, "\x1f"sv,
        "\xff"sv, "\x80"sv, "\xc3"sv, "\xed\xa0\x80"sv, "\xc2\x9b"sv, "\xe2\x80\xae"sv, "\xf8"sv}) {
    CheckKeys(Around(bytes, "a", "b"), {Text("ab")});
  }
  CheckKeys("\x1b[12\rb", {Pressed(KeyCode::kEnter), Text("b")});
  CheckKeys(Around(std::string(100'000, '1'), "\x1b[", "~b"), {Text("b")});
}

TEST_CASE("a paste of several lines is several lines", "[chat][keys]") {
  const Keys lines = {Text("one"), Pressed(KeyCode::kEnter), Text("two"), Pressed(KeyCode::kEnter)};
  for (const std::string_view end : {"\n"sv, "\r"sv, "\r\n"sv}) {
    const std::string text = Around(end, "one", "two").append(end);
    CheckKeys(text, lines);
    CheckKeys(Around(text, "\x1b[200~", "\x1b[201~"), lines);
  }
}

TEST_CASE("in a paste control characters and arrows are no keys", "[chat][keys]") {
  CheckKeys("\x1b[200~a\3\4\x15\x1b[Ab\x1b[201~\3", {Text("ab"), Pressed(KeyCode::kInterrupt)});
}

}  // namespace
}  // namespace samples::chat
