// EchoBot: sends messages to an echo server and checks every byte that comes back.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "bot/bot.h"
#include "bot/byte_pattern.h"
#include "bot/echo_stats.h"
#include "bot/load_options.h"
#include "netcore/session/session.h"

namespace samples {

/// A message is a piece of the client's pattern; where one ends only its size says. The first wrong
/// byte ends the connection: what comes behind it has lost its place. So a byte that was lost or
/// came twice is a corrupted one here.
///
/// Lifetime, threads: a Bot's.
class EchoBot final : public netcore::Session, public Bot {
 public:
  EchoBot(std::shared_ptr<ConnectionStats> connections, std::shared_ptr<EchoStats> stats,
          std::shared_ptr<const BytePattern> pattern, const LoadOptions& options,
          std::size_t number);

  netcore::Session& AsSession() noexcept override { return *this; }
  void Speak() override;

 private:
  using Clock = std::chrono::steady_clock;

  void OnConnected() override { Connected(); }
  void OnRecv(std::span<std::byte> bytes) override;
  void OnDisconnected(const netcore::CloseInfo& info) override { Disconnected(info); }

  void SendMessages(std::size_t count, Clock::time_point now);

  const std::shared_ptr<EchoStats> stats_;
  const std::shared_ptr<const BytePattern> pattern_;
  const std::size_t number_;
  const std::size_t message_size_;
  const bool speaks_when_answered_;

  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_received_ = 0;
  std::deque<Clock::time_point> in_flight_;  // when each message left, the oldest first
};

}  // namespace samples
