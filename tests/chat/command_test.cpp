// From typed lines to commands, and from packets to shown lines.
#include "chat/client/command.h"

#include <string>
#include <string_view>

#include "chat/client/back_off.h"
#include "chat/client/message.h"
#include "chat/protocol.h"
#include "tests/support/catch.h"

namespace samples::chat {
namespace {

using namespace std::string_view_literals;

void Check(std::string_view line, const Command& expected) {
  INFO(line);
  CHECK((ParseCommand(line) == expected));
}

std::string Shown(PacketType type, std::string_view payload) {
  const auto message = MessageOf(type, BytesOf(payload));
  return message ? LineOf(*message, false) : "nothing";
}

TEST_CASE("what does not begin with a slash is said", "[chat][command]") {
  for (const std::string_view line : {"hello"sv, " /quit"sv, "a /b"sv, " x "sv}) {
    Check(line, {.kind = CommandKind::kSay, .text = std::string(line)});
  }
  Check("//quit", {.kind = CommandKind::kSay, .text = "/quit"});
  Check("//", {.kind = CommandKind::kSay, .text = "/"});
  Check("", {});
  Check("   ", {});
}

TEST_CASE("each command takes what it needs", "[chat][command]") {
  Check("/name  a b ", {.kind = CommandKind::kName, .name = "a b"});
  Check("/join den", {.kind = CommandKind::kJoin, .name = "den"});
  Check("/leave", {.kind = CommandKind::kLeave});
  Check("/list ", {.kind = CommandKind::kList});
  Check("/who", {.kind = CommandKind::kWho});
  Check("/help", {.kind = CommandKind::kHelp});
  Check("/quit", {.kind = CommandKind::kQuit});
  Check("/msg bob  hi you", {.kind = CommandKind::kPrivate, .name = "bob", .text = " hi you"});
  Check("/msg \"a b\" hi", {.kind = CommandKind::kPrivate, .name = "a b", .text = "hi"});
  Check("/msg \"a\"b\" hi", {.kind = CommandKind::kPrivate, .name = "a\"b", .text = "hi"});
}

TEST_CASE("a command that is none, or lacks something, is told so", "[chat][command]") {
  for (const std::string_view line :
       {"/"sv, "/x"sv, "/quitter"sv, "/name"sv, "/join  "sv, "/leave now"sv, "/who x"sv, "/msg"sv,
        "/msg bob"sv, "/msg bob "sv, "/msg \"a b\""sv, "/msg \"a b"sv, "/msg \"\" x"sv}) {
    INFO(line);
    const Command command = ParseCommand(line);
    CHECK(command.kind == CommandKind::kWrong);
    CHECK_FALSE(command.text.empty());
  }
}

TEST_CASE("each packet is shown in its own way", "[chat][message]") {
  CHECK(Shown(PacketType::kChat, "bob : hi : you") == "<bob> hi : you");
  CHECK(Shown(PacketType::kEarlier, "bob : hi") == "(earlier) <bob> hi");
  CHECK(Shown(PacketType::kPrivate, "\3bobpsst") == "[private] <bob> psst");
  CHECK(Shown(PacketType::kNotice, "* bob joined") == "* bob joined");
  CHECK(Shown(PacketType::kNotice, "name-taken: so") == "! name-taken: so");
  CHECK(Shown(PacketType::kSetName, "bob") == "-- you are bob");
  CHECK(Shown(PacketType::kJoin, "den") == "-- you are in den");
  CHECK(Shown(PacketType::kList, "den\t2\nlobby\t1") == "-- rooms: den (2), lobby (1)");
  CHECK(Shown(PacketType::kWho, "a\nb\n\tand 7 more") == "-- here: a, b, and 7 more");
  CHECK(Shown(PacketType::kPing, "x") == "nothing");
  CHECK(Shown(static_cast<PacketType>(99), "x") == "nothing");
}

TEST_CASE("what the server may not send does no harm", "[chat][message]") {
  CHECK(Shown(PacketType::kChat, "no name").starts_with("! "));
  CHECK(Shown(PacketType::kPrivate, "").starts_with("! "));
  CHECK(Shown(PacketType::kWho, "a\n\nb").starts_with("! "));
  CHECK(Shown(PacketType::kList, "den").starts_with("! "));
  CHECK(Shown(PacketType::kChat, "\x1b]0;x\7 : a\r\nb") ==
        "<\xef\xbf\xbd]0;x\xef\xbf\xbd> a\xef\xbf\xbd\xef\xbf\xbd"
        "b");
}

TEST_CASE("colours stand around the line alone", "[chat][message]") {
  CHECK(LineOf({MessageKind::kError, "x"}, true) == "\x1b[31m! x\x1b[0m");
  CHECK(LineOf({MessageKind::kSpeech, "<a> x"}, true) == "<a> x");
}

TEST_CASE("the time between tries doubles up to eight seconds", "[chat][client]") {
  BackOff back_off;
  for (const int expected : {500, 1000, 2000, 4000, 8000, 8000}) {
    CHECK(back_off.Next().count() == expected);
  }
  back_off.Reset();
  CHECK(back_off.Next().count() == 500);
}

}  // namespace
}  // namespace samples::chat
