// Problem: what can be wrong with a request, each with the code word that its notice begins with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace samples::chat {

enum class Problem : std::uint8_t {
  kNone,
  kUnknownType,       // a type that the server has no use for
  kBadRequest,        // a payload that has not the form of its type
  kBadUtf8,           // in a text or a name
  kControlCharacter,  // in a text or a name
  kTextEmpty,
  kTextTooLong,
  kNameEmpty,  // of a person or a room, as all that follows
  kNameTooLong,
  kNameNotAllowed,  // a space at one of its ends, or a space and a colon in it
  kNameTaken,       // by somebody else
  kUnknownName,     // nobody has it
  kTooManyRooms,
  kBusy,  // more waits than the server can hold; try again
};

/// "name-taken"; empty for kNone.
std::string_view CodeOf(Problem problem) noexcept;

/// The notice that answers such a request: "name-taken: the name "bob" is taken". `name` is the one
/// that is meant; without one, or where it may be anything, the notice has none. Throws
/// std::bad_alloc.
std::string NoticeOf(Problem problem, std::string_view name = {});

}  // namespace samples::chat
