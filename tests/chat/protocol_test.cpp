// Payloads to values and back, and what is none.
#include "chat/protocol.h"

#include <string>

#include "chat/answers.h"
#include "chat/line_list.h"
#include "chat/problem.h"
#include "tests/support/catch.h"

namespace samples::chat {
namespace {

TEST_CASE("a private message is read as it was written", "[chat][protocol]") {
  for (const std::size_t name_bytes : {std::size_t{0}, std::size_t{1}, kMaxNameBytes}) {
    const std::string name(name_bytes, 'n');
    for (const std::string text : {"", "t", "a longer text"}) {
      const std::string payload = MakePrivate(name, text);
      const auto line = ParsePrivate(BytesOf(payload));
      REQUIRE(line);
      CHECK(line->name == name);
      CHECK(line->text == text);
    }
  }
}

TEST_CASE("a private message whose name goes beyond its end is none", "[chat][protocol]") {
  CHECK_FALSE(ParsePrivate({}));
  CHECK_FALSE(ParsePrivate(BytesOf("\x01")));
  CHECK_FALSE(
      ParsePrivate(BytesOf("\x04"
                           "bob")));
  CHECK_FALSE(
      ParsePrivate(BytesOf("\xff"
                           "bob")));
  CHECK(
      ParsePrivate(BytesOf("\x03"
                           "bob")));
}

TEST_CASE("a line without a speaker is none", "[chat][protocol]") {
  CHECK_FALSE(ParseLine({}));
  CHECK_FALSE(ParseLine(BytesOf("bob:hi")));
  CHECK_FALSE(ParseLine(BytesOf("bob: hi")));
  CHECK(ParseLine(BytesOf("bob : ")));
}

TEST_CASE("lists are read as they were written", "[chat][protocol]") {
  const auto none = ParseRooms({});
  REQUIRE(none);
  CHECK(none->rooms.empty());

  const auto rooms = ParseRooms(BytesOf("den\t2\nlobby\t5002"));
  REQUIRE(rooms);
  REQUIRE(rooms->rooms.size() == 2);
  CHECK(rooms->rooms[0].name == "den");
  CHECK(rooms->rooms[1].members == 5002);
  CHECK(rooms->more == 0);

  const auto names = ParseNames(BytesOf("ann\nbob\n\tand 17 more"));
  REQUIRE(names);
  CHECK(names->names == std::vector<std::string_view>{"ann", "bob"});
  CHECK(names->more == 17);
}

TEST_CASE("lists that nobody would write are none", "[chat][protocol]") {
  for (const std::string_view text :
       {"den", "den\t", "den\tx", "den\t1x", "\t1", "den\t-1", "den\t99999999999999999999999",
        "\tand 1 more\nden\t1", "\tand x more", "\tand  more", "\tand more", "\t"}) {
    INFO(text);
    CHECK_FALSE(ParseRooms(BytesOf(text)));
  }
  for (const std::string_view text : {"\n", "a\n\nb", "\tand 1 more\na", "\tand", "a\n\t"}) {
    INFO(text);
    CHECK_FALSE(ParseNames(BytesOf(text)));
  }
}

TEST_CASE("a list that is too long says how much is missing, and fits", "[chat][protocol]") {
  const std::string name(kMaxNameBytes, 'x');
  const std::size_t count = 1'000;
  LineList list;
  for (std::size_t index = 0; index < count; ++index) list.Add(name);
  const std::string text = std::move(list).Take();
  CHECK(text.size() <= kMaxAnswerBytes);
  CHECK(text.size() > kMaxAnswerBytes - 2 * name.size());
  const auto names = ParseNames(BytesOf(text));
  REQUIRE(names);
  CHECK(names->more > 0);
  CHECK(names->names.size() + names->more == count);
}

TEST_CASE("a list that fits exactly is whole", "[chat][protocol]") {
  LineList list;
  for (const std::string_view line : {"a", "bc", "d"}) list.Add(line);
  const std::string taken = std::move(list).Take();
  CHECK(taken == "a\nbc\nd");
  CHECK(LineList().Take().empty());
}

TEST_CASE("an error can be told from news by its code", "[chat][protocol]") {
  for (int value = 1; value <= static_cast<int>(Problem::kBusy); ++value) {
    const auto problem = static_cast<Problem>(value);
    CHECK_FALSE(CodeOf(problem).empty());
    CHECK(CodeOfNotice(NoticeOf(problem)) == CodeOf(problem));
    CHECK(CodeOfNotice(NoticeOf(problem, "x: y")) == CodeOf(problem));
  }
  CHECK(NoticeOf(Problem::kNameTaken, "bob") == "name-taken: the name \"bob\" is taken");
  CHECK(CodeOfNotice("* name-taken: the joined").empty());
  CHECK(CodeOfNotice("* bob joined").empty());
  CHECK(CodeOfNotice(": ").empty());
}

TEST_CASE("packets are written as the document shows them", "[chat][protocol]") {
  const auto bytes = [](const netcore::SendBufferRef& buffer) {
    return std::string(TextOf(buffer->Bytes()));
  };
  std::string said;
  AppendSaid(said, "alice", "hi");
  CHECK(said == std::string("\x01\0\0\0\x0a"
                            "alice : hi",
                            15));
  CHECK(bytes(MakeAnswer(PacketType::kPing, "")) == std::string("\x04\0\0\0\0", 5));
  CHECK(bytes(MakeNews({"bob", " joined"})) == std::string("\x08\0\0\0\x0c"
                                                           "* bob joined",
                                                           17));
}

}  // namespace
}  // namespace samples::chat
