// What bots say, and what becomes of it on the way.
#include <chrono>
#include <cstdint>
#include <string>

#include "bot/bot_message.h"
#include "chat/protocol.h"
#include "chat/text_rules.h"
#include "tests/support/catch.h"

namespace samples {
namespace {

using Found = BotMessage::Found;

constexpr std::uint32_t kOwnRun = 0x3f9a12c4;

std::string TextOf(std::size_t size, std::uint32_t sender, std::uint32_t sequence) {
  std::string text = BotMessage::MakeText(size);
  BotMessage message;
  message.sender = sender;
  message.sequence = sequence;
  message.time = std::chrono::nanoseconds(123'456'789);
  message.Write(text, kOwnRun);
  return text;
}

TEST_CASE("a bot's message of any size is read as it was written, and is text for a chat",
          "[bot][message]") {
  for (const std::size_t size : {BotMessage::kMinSize, BotMessage::kMinSize + 1, std::size_t{64},
                                 std::size_t{300}, chat::kMaxTextBytes}) {
    const std::string text = TextOf(size, 99'999, 4'294'967'295);
    CHECK(text.size() == size);
    CHECK(chat::CheckText(text) == chat::Problem::kNone);
    CHECK(text.find(chat::kSaid) == std::string::npos);
    BotMessage read;
    REQUIRE(read.Read(text, kOwnRun) == Found::kWhole);
    CHECK(read.sender == 99'999);
    CHECK(read.sequence == 4'294'967'295);
    CHECK(read.time == std::chrono::nanoseconds(123'456'789));
  }
}

TEST_CASE("a changed bit anywhere in a bot's message is seen", "[bot][message]") {
  const std::string text = TextOf(80, 17, 5);
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = text;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      BotMessage read;
      CHECK(read.Read(changed, kOwnRun) != Found::kWhole);
    }
  }
}

TEST_CASE("a bot's message that was cut short or made longer is corrupted", "[bot][message]") {
  const std::string text = TextOf(80, 17, 5);
  BotMessage read;
  CHECK(read.Read(text.substr(0, 79), kOwnRun) == Found::kCorrupted);
  CHECK(read.Read(text + "x", kOwnRun) == Found::kCorrupted);
  CHECK(read.sequence == 5);
}

TEST_CASE("what another run or a person says is foreign", "[bot][message]") {
  BotMessage read;
  CHECK(read.Read(TextOf(80, 17, 5), kOwnRun + 1) == Found::kForeign);
  CHECK(read.Read("", kOwnRun) == Found::kForeign);
  CHECK(read.Read("hello, is somebody there?", kOwnRun) == Found::kForeign);
  CHECK(read.Read(std::string(BotMessage::kMinSize, 'x'), kOwnRun) == Found::kForeign);
}

}  // namespace
}  // namespace samples
