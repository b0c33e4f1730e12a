// Crowd: the bots that speak one protocol, and the loads that they can be.
#pragma once

#include <cstddef>
#include <memory>

#include "bot/bot.h"
#include "bot/load.h"
#include "bot/load_options.h"

namespace samples {

/// Threads: one.
class Crowd {
 public:
  Crowd() = default;
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  virtual ~Crowd() = default;

  /// Makes the next bot; they are numbered from 0.
  virtual std::shared_ptr<Bot> MakeBot() = 0;

  /// Once all bots are made. Lifetime: the crowd's.
  virtual std::unique_ptr<Load> MakeLoad(LoadMode mode) = 0;
};

}  // namespace samples
