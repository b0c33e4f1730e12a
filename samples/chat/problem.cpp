// The words of each problem. What a client sent is repeated only where it has been checked.
#include "chat/problem.h"

#include <cstddef>

namespace samples::chat {
namespace {

struct Words {
  std::string_view code;
  std::string_view before;  // the name, if there is one
  std::string_view behind;
};

constexpr Words WordsOf(Problem problem) noexcept {
  switch (problem) {
    case Problem::kNone:
      return {};
    case Problem::kUnknownType:
      return {"unknown-type", "there is no request of this type", ""};
    case Problem::kBadRequest:
      return {"bad-request", "the payload does not have the form of its type", ""};
    case Problem::kBadUtf8:
      return {"bad-utf8", "this is not UTF-8", ""};
    case Problem::kControlCharacter:
      return {"control-character", "control characters are not allowed", ""};
    case Problem::kTextEmpty:
      return {"text-empty", "there is no text", ""};
    case Problem::kTextTooLong:
      return {"text-too-long", "a text has at most 4096 bytes", ""};
    case Problem::kNameEmpty:
      return {"name-empty", "a name has at least one character", ""};
    case Problem::kNameTooLong:
      return {"name-too-long", "a name has at most 32 characters", ""};
    case Problem::kNameNotAllowed:
      return {"name-not-allowed", "a name has no space at its ends and no \" :\" in it", ""};
    case Problem::kNameTaken:
      return {"name-taken", "the name", "is taken"};
    case Problem::kUnknownName:
      return {"unknown-name", "the name", "is nobody's"};
    case Problem::kTooManyRooms:
      return {"too-many-rooms", "there is no place for the room", "now"};
    case Problem::kBusy:
      return {"busy", "the server is busy, try again", ""};
  }
  return {};
}

}  // namespace

std::string_view CodeOf(Problem problem) noexcept { return WordsOf(problem).code; }

std::string NoticeOf(Problem problem, std::string_view name) {
  const Words words = WordsOf(problem);
  std::string notice(words.code);
  notice.append(": ").append(words.before);
  if (!words.behind.empty()) {
    if (!name.empty()) notice.append(" \"").append(name).append("\"");
    notice.append(" ").append(words.behind);
  }
  return notice;
}

}  // namespace samples::chat
