// Error and its texts, which users and logs see.
#include "netcore/base/error.h"

#include <set>
#include <string>
#include <system_error>

#include "tests/support/catch.h"

namespace netcore {
namespace {

TEST_CASE("an error that is none says so and is false", "[error]") {
  const Error error;
  CHECK_FALSE(error);
  CHECK(error == ErrorCode::kNone);
  CHECK(error.Message() == "no error");
}

TEST_CASE("an error tells its code, the system's number and the place", "[error]") {
  const Error error(ErrorCode::kAddressInUse, 98, "bind 0.0.0.0:11021");
  CHECK(error);
  CHECK(error == ErrorCode::kAddressInUse);
  CHECK(error.Code() == ErrorCode::kAddressInUse);
  CHECK(error.SystemCode() == 98);
  CHECK(error.Message() == "bind 0.0.0.0:11021: address already in use");
}

TEST_CASE("an error without a place is its code's text", "[error]") {
  CHECK(Error(ErrorCode::kTimedOut).Message() == "timed out");
  CHECK(Error(ErrorCode::kTimedOut, 0, "").Message() == "timed out");
}

TEST_CASE("a place is put before the place that is known", "[error]") {
  const Error error(ErrorCode::kAccessDenied, 13, "bind 0.0.0.0:80");
  const Error at = error.At("start");
  CHECK(at.Message() == "start: bind 0.0.0.0:80: access denied");
  CHECK(at.Code() == ErrorCode::kAccessDenied);
  CHECK(at.SystemCode() == 13);
  CHECK(error.Message() == "bind 0.0.0.0:80: access denied");
  CHECK(Error(ErrorCode::kStopped).At("post").Message() == "post: stopped");
}

TEST_CASE("no error stays no error wherever it is said to have happened", "[error]") {
  CHECK_FALSE(Error().At("start"));
  CHECK(Error().At("start").Message() == "no error");
}

TEST_CASE("an unknown error brings the system's own text and number", "[error]") {
  constexpr int kSomeCode = 2;
  const std::string message = Error(ErrorCode::kUnknown, kSomeCode, "listen").Message();
  CAPTURE(message);
  std::string system_text = std::system_category().message(kSomeCode);
  system_text.erase(system_text.find_last_not_of(" .\r\n") + 1);
  CHECK(message == "listen: " + system_text + " (system error 2)");
  CHECK(Error(ErrorCode::kUnknown).Message() == "unknown error");
}

TEST_CASE("each code has a text of its own, in lower case and without a full stop", "[error]") {
  std::set<std::string> texts;
  for (int i = 0; i <= static_cast<int>(ErrorCode::kUnknown); ++i) {
    const std::string text(ToString(static_cast<ErrorCode>(i)));
    CAPTURE(i, text);
    REQUIRE_FALSE(text.empty());
    CHECK(text.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ.\r\n") == std::string::npos);
    CHECK(texts.insert(text).second);
  }
}

}  // namespace
}  // namespace netcore
