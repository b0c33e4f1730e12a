// Bots, and loads of all of them.
#include "bot/echo_crowd.h"

#include <utility>

#include "bot/echo_load.h"

namespace samples {

EchoCrowd::EchoCrowd(const LoadOptions& options, std::shared_ptr<ConnectionStats> connections)
    : options_(options), connections_(std::move(connections)) {}

std::shared_ptr<Bot> EchoCrowd::MakeBot() {
  bots_.push_back(
      std::make_shared<EchoBot>(connections_, stats_, pattern_, options_, bots_.size()));
  return bots_.back();
}

std::unique_ptr<Load> EchoCrowd::MakeLoad(LoadMode) {
  return std::make_unique<EchoLoad>(options_, stats_, bots_);
}

}  // namespace samples
