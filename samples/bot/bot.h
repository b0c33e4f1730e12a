// Bot: one client of a load run, whatever it says. The run knows no more of it than this.
#pragma once

#include <memory>
#include <utility>

#include "bot/connection_stats.h"
#include "netcore/session/session.h"

namespace samples {

/// The half of a client that is no session. Who derives from it is one as well, and tells it of its
/// first hook and its last.
///
/// Lifetime: a session's. Threads: the session's worker, but for AsSession.
class Bot {
 public:
  explicit Bot(std::shared_ptr<ConnectionStats> connections)
      : connections_(std::move(connections)) {}
  Bot(const Bot&) = delete;
  Bot& operator=(const Bot&) = delete;
  virtual ~Bot() = default;

  virtual netcore::Session& AsSession() noexcept = 0;

  /// Says one message. What it does when that is answered is its load's affair.
  virtual void Speak() = 0;

 protected:
  void Connected();
  void Disconnected(const netcore::CloseInfo& info);

 private:
  void Remember(const netcore::CloseInfo& info);

  const std::shared_ptr<ConnectionStats> connections_;
  bool was_connected_ = false;
};

}  // namespace samples
