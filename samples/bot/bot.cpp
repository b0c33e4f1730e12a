// Counting connections and how they end.
#include "bot/bot.h"

#include <mutex>

namespace samples {

void Bot::Connected() {
  was_connected_ = true;
  connections_->connected.fetch_add(1);
}

void Bot::Disconnected(const netcore::CloseInfo& info) {
  if (!was_connected_) {
    Remember(info);
    connections_->failed.fetch_add(1);
    return;
  }
  if (!connections_->closing.load()) {
    Remember(info);
    connections_->broken.fetch_add(1);
  }
  connections_->ended.fetch_add(1);
}

void Bot::Remember(const netcore::CloseInfo& info) {
  const std::lock_guard lock(connections_->mutex);
  if (!connections_->first_failure.empty()) return;
  connections_->first_failure = netcore::ToString(info.reason);
  if (info.error) connections_->first_failure += " (" + info.error.Message() + ")";
}

}  // namespace samples
