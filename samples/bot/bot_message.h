// BotMessage: what bots say in a chat: who, which message, when, and a checksum, as text that a
// chat takes and a person can read.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace samples {

///     9f8e7d6c 3f9a12c4 bot 000017 says 0000000005 at 000000123456789 abcdefgh
///     sum of    run         sender      sequence       nanoseconds     filler
///     the rest
struct BotMessage {
  /// What the smallest text takes; what is beyond it is filler.
  static constexpr std::size_t kMinSize = 63;

  enum class Found : std::uint8_t {
    kForeign,    // no bot of this run said it
    kCorrupted,  // one did, but not this; the fields are what they seem to be, if numbers at all
    kWhole,
  };

  std::uint32_t sender = 0;
  std::uint32_t sequence = 0;
  std::chrono::nanoseconds time{0};  // since the load's beginning

  /// A text of `size` bytes, kMinSize at least, to be filled in by Write.
  static std::string MakeText(std::size_t size);

  /// Fills in what MakeText made.
  void Write(std::span<char> text, std::uint32_t run) const noexcept;

  /// Reads what the bots of `run` said.
  Found Read(std::string_view text, std::uint32_t run) noexcept;
};

}  // namespace samples
