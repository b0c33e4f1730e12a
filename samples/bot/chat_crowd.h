// ChatCrowd: clients of a chat server.
#pragma once

#include <memory>
#include <random>
#include <vector>

#include "bot/chat_bot.h"
#include "bot/crowd.h"

namespace samples {

/// Owns: a share in each bot. Threads: one.
class ChatCrowd final : public Crowd {
 public:
  ChatCrowd(const LoadOptions& options, std::shared_ptr<ConnectionStats> connections);

  std::shared_ptr<Bot> MakeBot() override;
  std::unique_ptr<Load> MakeLoad(LoadMode mode) override;

 private:
  const LoadOptions options_;
  const std::shared_ptr<ConnectionStats> connections_;
  std::vector<std::shared_ptr<ChatBot>> bots_;
  std::random_device random_;
};

}  // namespace samples
