// Bots, and loads of all of them.
#include "bot/chat_crowd.h"

#include <utility>

#include "bot/chat_load.h"

namespace samples {

ChatCrowd::ChatCrowd(const LoadOptions& options, std::shared_ptr<ConnectionStats> connections)
    : options_(options), connections_(std::move(connections)) {}

std::shared_ptr<Bot> ChatCrowd::MakeBot() {
  bots_.push_back(std::make_shared<ChatBot>(connections_, bots_.size()));
  return bots_.back();
}

std::unique_ptr<Load> ChatCrowd::MakeLoad(LoadMode mode) {
  return std::make_unique<ChatLoad>(options_, mode, random_(), bots_);
}

}  // namespace samples
