// Deadlines as a value, without a port.
#include "netcore/session/deadlines.h"

#include <algorithm>

#include "tests/support/catch.h"

namespace netcore {
namespace {

using std::chrono::milliseconds;
using Kind = Deadlines::Kind;

constexpr Awaited kBytes{.bytes = true, .room = false};
constexpr Awaited kRoom{.bytes = false, .room = true};
constexpr Awaited kNothing{};

TimePoint At(int time) { return TimePoint(std::chrono::hours(1)) + milliseconds(time); }

SessionOptions DeadlineOptions() {
  SessionOptions options;
  options.idle_timeout = milliseconds(3'000);
  options.frame_timeout = milliseconds(1'000);
  options.first_packet_timeout = milliseconds(2'000);
  options.send_stall_timeout = milliseconds(4'000);
  return options;
}

Deadlines OpenAt(int time, milliseconds first_message = {}) {
  Deadlines deadlines;
  deadlines.Open(At(time), first_message);
  return deadlines;
}

TEST_CASE("without a limit nothing is ever due", "[deadlines]") {
  Deadlines deadlines = OpenAt(0);
  SessionOptions options;
  options.send_stall_timeout = milliseconds(0);
  CHECK(deadlines.Next(options, {.bytes = true, .room = true}) == kNever);
  CHECK(deadlines.Due(At(1'000'000), options, {.bytes = true, .room = true}) == Kind::kNone);
}

TEST_CASE("only what is awaited is due", "[deadlines]") {
  const SessionOptions options = DeadlineOptions();
  Deadlines deadlines = OpenAt(0);
  deadlines.BeginSend(At(0), options.send_stall_timeout);
  CHECK(deadlines.Next(options, kBytes) == At(3'000));
  CHECK(deadlines.Next(options, kRoom) == At(4'000));
  CHECK(deadlines.Next(options, kNothing) == kNever);
  CHECK(deadlines.Due(At(2'999), options, kBytes) == Kind::kNone);
  CHECK(deadlines.Due(At(3'000), options, kBytes) == Kind::kIdle);
  CHECK(deadlines.Due(At(4'000), options, kRoom) == Kind::kRoom);
  CHECK(deadlines.Due(At(9'000), options, kNothing) == Kind::kNone);
  deadlines.Received(At(2'500));
  CHECK(deadlines.Due(At(5'499), options, kBytes) == Kind::kNone);
  CHECK(deadlines.Due(At(5'500), options, kBytes) == Kind::kIdle);
}

TEST_CASE("a message has its time from its first byte, and the first one from the beginning",
          "[deadlines]") {
  SessionOptions options = DeadlineOptions();
  options.idle_timeout = milliseconds(0);
  Deadlines deadlines = OpenAt(0, options.first_packet_timeout);
  CHECK(deadlines.Due(At(2'000), options, kBytes) == Kind::kMessage);
  CHECK(deadlines.MessageReason() == CloseReason::kFirstPacketTimeout);
  CHECK_FALSE(deadlines.BeginMessage(At(1'500), options.frame_timeout));  // has no more than before
  CHECK(deadlines.IsInMessage());
  CHECK(deadlines.Next(options, kBytes) == At(2'000));
  CHECK(deadlines.MessageReason() == CloseReason::kFirstPacketTimeout);
  deadlines.EndMessage();
  CHECK(deadlines.Next(options, kBytes) == kNever);
  CHECK(deadlines.BeginMessage(At(1'900), options.frame_timeout));
  CHECK_FALSE(deadlines.BeginMessage(At(2'500), options.frame_timeout));  // goes on
  CHECK(deadlines.Next(options, kBytes) == At(2'900));
  CHECK(deadlines.MessageReason() == CloseReason::kFrameTimeout);
}

TEST_CASE("the time of a pause does not count", "[deadlines]") {
  const SessionOptions options = DeadlineOptions();
  Deadlines deadlines = OpenAt(0);
  static_cast<void>(deadlines.BeginMessage(At(100), options.frame_timeout));
  deadlines.Pause(At(600));
  deadlines.Resume(At(5'600));
  CHECK(deadlines.Next(options, kBytes) == At(6'100));
  deadlines.EndMessage();
  CHECK(deadlines.Next(options, kBytes) == At(8'600));
}

TEST_CASE("a stop is hard, and the earlier of two ends stands", "[deadlines]") {
  const SessionOptions options = DeadlineOptions();
  Deadlines deadlines = OpenAt(0);
  deadlines.BeginEnd(At(100), milliseconds(1'000));
  CHECK(deadlines.Next(options, kNothing) == At(1'100));
  CHECK(deadlines.Due(At(1'100), options, kNothing) == Kind::kEnd);
  deadlines.StopBy(At(900));
  deadlines.StopBy(At(950));
  CHECK(deadlines.Next(options, kNothing) == At(900));
  CHECK(deadlines.Due(At(900), options, kNothing) == Kind::kStop);
  CHECK_FALSE(deadlines.Postpone(Kind::kStop, At(5'000), options));
}

TEST_CASE("what is found late moves once by as much, and at most by its own length",
          "[deadlines]") {
  SessionOptions options = DeadlineOptions();
  options.idle_timeout = milliseconds(0);
  Deadlines deadlines = OpenAt(0);
  const auto check_moves = [&](Kind kind, Awaited awaited, int due, int length) {
    CAPTURE(due, length);
    REQUIRE(deadlines.Next(options, awaited) == At(due));
    CHECK_FALSE(deadlines.Postpone(kind, At(due), options));
    CHECK_FALSE(deadlines.Postpone(kind, At(due + 50), options));
    CHECK(deadlines.Next(options, awaited) == At(due));
    const int late = GENERATE(51, 700, 100'000);
    REQUIRE(deadlines.Due(At(due + late), options, awaited) == kind);
    CHECK(deadlines.Postpone(kind, At(due + late), options));
    const int moved = due + late + std::min(late, length);
    CHECK(deadlines.Next(options, awaited) == At(moved));
    CHECK_FALSE(deadlines.Postpone(kind, At(moved + 1'000), options));
  };
  SECTION("a message") {
    static_cast<void>(deadlines.BeginMessage(At(0), options.frame_timeout));
    check_moves(Kind::kMessage, kBytes, 1'000, 1'000);
    deadlines.EndMessage();
    static_cast<void>(deadlines.BeginMessage(At(500'000), options.frame_timeout));
    CHECK(deadlines.Postpone(Kind::kMessage, At(501'100), options));  // each message once
  }
  SECTION("the first message") {
    deadlines.Open(At(0), options.first_packet_timeout);
    check_moves(Kind::kMessage, kBytes, 2'000, 2'000);
  }
  SECTION("a send") {
    deadlines.BeginSend(At(0), options.send_stall_timeout);
    check_moves(Kind::kRoom, kRoom, 4'000, 4'000);
    deadlines.BeginSend(At(500'000), options.send_stall_timeout);
    CHECK(deadlines.Postpone(Kind::kRoom, At(504'100), options));
  }
  SECTION("an end") {
    deadlines.BeginEnd(At(0), milliseconds(1'000));
    check_moves(Kind::kEnd, kNothing, 1'000, 1'000);
  }
}

TEST_CASE("an idle deadline that is found late does not move", "[deadlines]") {
  const SessionOptions options = DeadlineOptions();
  Deadlines deadlines = OpenAt(0);
  CHECK_FALSE(deadlines.Postpone(Kind::kIdle, At(100'000), options));
}

TEST_CASE("bytes that lie unread are looked at once before a message is judged", "[deadlines]") {
  const SessionOptions options = DeadlineOptions();
  Deadlines deadlines = OpenAt(0);
  static_cast<void>(deadlines.BeginMessage(At(0), options.frame_timeout));
  deadlines.Looked();  // before anybody asked: says nothing
  CHECK(deadlines.LookFirst());
  CHECK(deadlines.LookFirst());  // still on the way
  deadlines.Looked();
  CHECK_FALSE(deadlines.LookFirst());
  deadlines.EndMessage();
  static_cast<void>(deadlines.BeginMessage(At(5'000), options.frame_timeout));
  CHECK(deadlines.LookFirst());
}

}  // namespace
}  // namespace netcore
