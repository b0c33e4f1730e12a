// Counting connections and how they end.
#include "bot/bot.h"

namespace samples {

void Bot::OnConnected() {
  was_connected_ = true;
  Stats().connected.fetch_add(1);
}

void Bot::OnDisconnected(const netcore::CloseInfo& info) {
  if (!was_connected_) {
    Remember(info);
    Stats().failed.fetch_add(1);
    return;
  }
  if (!shared_->closing.load()) {
    Remember(info);
    Stats().broken.fetch_add(1);
  }
  Stats().ended.fetch_add(1);
}

void Bot::Remember(const netcore::CloseInfo& info) {
  const std::lock_guard lock(shared_->mutex);
  if (!shared_->first_failure.empty()) return;
  shared_->first_failure = netcore::ToString(info.reason);
  if (info.error) shared_->first_failure += " (" + info.error.Message() + ")";
}

}  // namespace samples
