// Everybody speaks, and hears itself.
#include "bot/echo_load.h"

#include <string>
#include <utility>

namespace samples {

EchoLoad::EchoLoad(const LoadOptions& options, std::shared_ptr<EchoStats> stats,
                   const std::vector<std::shared_ptr<EchoBot>>& bots)
    : Load(options), stats_(std::move(stats)) {
  for (const std::shared_ptr<EchoBot>& bot : bots) AddSpeaker(bot);
}

bool EchoLoad::NothingIsOpen() const {
  const std::uint64_t received = stats_->messages_received;  // first: see EchoBot::OnRecv
  return received == stats_->messages_sent;
}

LoadTotals EchoLoad::Totals() const { return {stats_->messages_sent, stats_->messages_received}; }

void EchoLoad::Report(LoadResult& result) const {
  result.title = std::to_string(Options().clients) + " clients, each hears itself";
  result.totals = Totals();
  result.expected = result.totals.messages;
  result.lost = result.totals.messages - result.totals.deliveries;
  result.corrupted = stats_->corrupted;
  if (stats_->latency.Count() > 0) result.round_trip.emplace(stats_->latency);
}

}  // namespace samples
