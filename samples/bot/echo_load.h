// EchoLoad: the mode "echo".
#pragma once

#include <memory>
#include <vector>

#include "bot/echo_bot.h"
#include "bot/echo_stats.h"
#include "bot/load.h"

namespace samples {

/// Lifetime, threads: a Load's.
class EchoLoad final : public Load {
 public:
  EchoLoad(const LoadOptions& options, std::shared_ptr<EchoStats> stats,
           const std::vector<std::shared_ptr<EchoBot>>& bots);

  LoadTotals Totals() const override;
  void Report(LoadResult& result) const override;

 private:
  void StopSpeaking() override { stats_->draining = true; }
  bool NothingIsOpen() const override;

  const std::shared_ptr<EchoStats> stats_;
};

}  // namespace samples
