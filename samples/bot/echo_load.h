// EchoLoad: the mode "echo", and the crowd that does it.
#pragma once

#include <memory>
#include <vector>

#include "bot/byte_pattern.h"
#include "bot/crowd.h"
#include "bot/echo_bot.h"
#include "bot/echo_stats.h"

namespace samples {

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

class EchoCrowd final : public Crowd {
 public:
  EchoCrowd(const LoadOptions& options, std::shared_ptr<ConnectionStats> connections);

  std::shared_ptr<Bot> MakeBot() override;
  std::unique_ptr<Load> MakeLoad(LoadMode mode) override;

 private:
  const LoadOptions options_;
  const std::shared_ptr<ConnectionStats> connections_;
  const std::shared_ptr<EchoStats> stats_ = std::make_shared<EchoStats>();
  const std::shared_ptr<const BytePattern> pattern_ = std::make_shared<BytePattern>();
  std::vector<std::shared_ptr<EchoBot>> bots_;
};

}  // namespace samples
