// EchoBot: keeps a number of messages in flight to an echo server and checks every byte that comes
// back.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "bot/bot.h"
#include "bot/byte_pattern.h"
#include "bot/load_options.h"

namespace samples {

/// A message is a piece of the client's pattern; where one ends only its size says. The first wrong
/// byte ends the connection: what comes behind it has lost its place.
///
/// Lifetime, threads: a Bot's.
class EchoBot final : public Bot {
 public:
  EchoBot(std::shared_ptr<LoadShared> shared, std::shared_ptr<const BytePattern> pattern,
          const LoadOptions& options, std::size_t number);

  void Begin() override;

 private:
  using Clock = std::chrono::steady_clock;

  void OnRecv(std::span<std::byte> bytes) override;
  void SendMessages(std::size_t count, Clock::time_point now);

  const std::shared_ptr<const BytePattern> pattern_;
  const std::size_t number_;
  const std::size_t message_size_;
  const std::size_t pipeline_;

  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_received_ = 0;
  std::deque<Clock::time_point> in_flight_;  // when each message left, the oldest first
};

/// The mode "echo".
BotFactory MakeEchoBots(std::shared_ptr<LoadShared> shared, const LoadOptions& options);

}  // namespace samples
