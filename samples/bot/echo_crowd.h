// EchoCrowd: clients of an echo server.
#pragma once

#include <memory>
#include <vector>

#include "bot/byte_pattern.h"
#include "bot/crowd.h"
#include "bot/echo_bot.h"
#include "bot/echo_stats.h"

namespace samples {

/// Owns: a share in each bot. Threads: one.
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
