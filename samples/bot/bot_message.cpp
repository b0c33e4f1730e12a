// Fields of fixed width, so that writing and reading one takes no search.
#include "bot/bot_message.h"

#include <xxhash.h>

#include <array>
#include <charconv>
#include <system_error>

#include "netcore/base/assert.h"

namespace samples {
namespace {

struct Field {
  std::size_t begin;
  std::size_t size;
};

constexpr std::string_view kForm =
    "00000000 00000000 bot 000000 says 0000000000 at 000000000000000";
constexpr Field kSum{0, 8};
constexpr Field kRun{9, 8};
constexpr Field kSender{22, 6};
constexpr Field kSequence{34, 10};
constexpr Field kTime{48, 15};
static_assert(kForm.size() == BotMessage::kMinSize);
static_assert(kTime.begin + kTime.size == BotMessage::kMinSize);

constexpr std::string_view kDigits = "0123456789abcdef";

template <std::uint64_t kBase>
void Put(std::span<char> text, Field field, std::uint64_t value) noexcept {
  for (std::size_t at = field.begin + field.size; at > field.begin; value /= kBase) {
    text[--at] = kDigits[value % kBase];
  }
}

template <int kBase, typename Value>
bool Get(std::string_view text, Field field, Value& value) noexcept {
  const char* const begin = text.data() + field.begin;
  const char* const end = begin + field.size;
  const auto [stop, error] = std::from_chars(begin, end, value, kBase);
  return error == std::errc() && stop == end;
}

// Of all that stands behind it.
std::uint32_t SumOf(std::string_view text) noexcept {
  text.remove_prefix(kSum.size);
  return static_cast<std::uint32_t>(XXH3_64bits(text.data(), text.size()));
}

}  // namespace

std::string BotMessage::MakeText(std::size_t size) {
  NETCORE_ASSERT(size >= kMinSize);
  std::string text(kForm);
  if (text.size() < size) text.push_back(' ');
  for (char letter = 'a'; text.size() < size; letter = letter == 'z' ? 'a' : char(letter + 1)) {
    text.push_back(letter);
  }
  return text;
}

void BotMessage::Write(std::span<char> text, std::uint32_t run) const noexcept {
  Put<16>(text, kRun, run);
  Put<10>(text, kSender, sender);
  Put<10>(text, kSequence, sequence);
  Put<10>(text, kTime, static_cast<std::uint64_t>(time.count()));
  Put<16>(text, kSum, SumOf({text.data(), text.size()}));
}

BotMessage::Found BotMessage::Read(std::string_view text, std::uint32_t run) noexcept {
  std::uint32_t its_run = 0;
  if (text.size() < kMinSize || !Get<16>(text, kRun, its_run) || its_run != run) {
    return Found::kForeign;
  }
  // As text: a changed bit may make a capital letter, which is the same number.
  std::array<char, kSum.size> sum{};
  Put<16>(sum, kSum, SumOf(text));
  std::chrono::nanoseconds::rep count = 0;
  const bool is_read = Get<10>(text, kSender, sender) && Get<10>(text, kSequence, sequence) &&
                       Get<10>(text, kTime, count);
  time = std::chrono::nanoseconds(count);
  const bool is_intact =
      text.substr(kSum.begin, kSum.size) == std::string_view(sum.data(), sum.size());
  return is_read && is_intact ? Found::kWhole : Found::kCorrupted;
}

}  // namespace samples
