// Sending, checking, timing.
#include "bot/echo_bot.h"

#include <algorithm>
#include <utility>

namespace samples {

EchoBot::EchoBot(std::shared_ptr<ConnectionStats> connections, std::shared_ptr<EchoStats> stats,
                 std::shared_ptr<const BytePattern> pattern, const LoadOptions& options,
                 std::size_t number)
    : Bot(std::move(connections)),
      stats_(std::move(stats)),
      pattern_(std::move(pattern)),
      number_(number),
      message_size_(options.message_size),
      speaks_when_answered_(options.rate <= 0) {}

void EchoBot::Speak() {
  if (!stats_->draining.load()) SendMessages(1, Clock::now());
}

void EchoBot::SendMessages(std::size_t count, Clock::time_point now) {
  for (std::size_t sent = 0; sent < count; ++sent) {
    for (std::size_t left = message_size_; left > 0;) {
      const std::size_t size = std::min(left, BytePattern::kMaxSlice);
      Send(pattern_->Slice(number_, bytes_sent_, size));
      bytes_sent_ += size;
      left -= size;
    }
    in_flight_.push_back(now);
  }
  stats_->messages_sent.fetch_add(count);
}

void EchoBot::OnRecv(std::span<std::byte> bytes) {
  const bool too_many = bytes.size() > bytes_sent_ - bytes_received_;
  if (too_many || !pattern_->Matches(number_, bytes_received_, bytes)) {
    stats_->corrupted.fetch_add(1);
    return Disconnect(netcore::CloseReason::kLocal, netcore::Closing::kAbort);
  }
  const std::uint64_t before = bytes_received_ / message_size_;
  bytes_received_ += bytes.size();

  const auto complete = static_cast<std::size_t>(bytes_received_ / message_size_ - before);
  if (complete == 0) return;
  const Clock::time_point now = Clock::now();
  for (std::size_t message = 0; message < complete; ++message) {
    stats_->latency.Record(now - in_flight_.front());
    in_flight_.pop_front();
  }
  if (speaks_when_answered_ && !stats_->draining.load()) SendMessages(complete, now);
  // Last, so that nobody sees all answers there while new messages are about to leave.
  stats_->messages_received.fetch_add(complete);
}

}  // namespace samples
