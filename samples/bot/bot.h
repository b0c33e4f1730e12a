// Bot: one client of a load run, whatever the mode. The run knows no more of it than this.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "bot/load_stats.h"
#include "netcore/session/session.h"

namespace samples {

/// What the bots of a run share with it.
///
/// Lifetime: shared by the run and its bots.
struct LoadShared {
  LoadStats stats;
  std::atomic<bool> draining{false};  // answers are still welcome, nothing new is sent
  std::atomic<bool> closing{false};   // whoever ends from here on was meant to

  std::mutex mutex;
  std::string first_failure;  // under mutex: what the first one that failed or broke said
};

/// Lifetime: a session's. Threads: the worker's own, but for what says otherwise.
class Bot : public netcore::Session {
 public:
  explicit Bot(std::shared_ptr<LoadShared> shared) : shared_(std::move(shared)) {}

  /// Begins the load. Called once, after everybody has connected, if this one has.
  virtual void Begin() = 0;

 protected:
  LoadShared& Shared() noexcept { return *shared_; }
  LoadStats& Stats() noexcept { return shared_->stats; }

  void OnConnected() override;
  void OnDisconnected(const netcore::CloseInfo& info) override;

 private:
  void Remember(const netcore::CloseInfo& info);

  const std::shared_ptr<LoadShared> shared_;
  bool was_connected_ = false;
};

/// A mode of load: makes the bot with this number, counted from 0.
using BotFactory = std::function<std::shared_ptr<Bot>(std::size_t number)>;

}  // namespace samples
