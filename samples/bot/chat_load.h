// ChatLoad: the modes "chat" and "broadcast", and the crowd that does them.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "bot/chat_bot.h"
#include "bot/conversation.h"
#include "bot/crowd.h"

namespace samples {

/// Owns: the conversation, with the bots. Lifetime, threads: a Load's.
class ChatLoad final : public Load {
 public:
  ChatLoad(const LoadOptions& options, LoadMode mode, std::uint32_t run,
           std::vector<std::shared_ptr<ChatBot>> bots);

  void Prepare() override;
  bool IsPrepared() const override { return conversation_->ready == bots_.size(); }
  void Begin() override;
  void Tick(Clock::duration elapsed) override;
  bool IsOver(Clock::duration elapsed) const override;
  double Done(Clock::duration elapsed) const override;
  LoadTotals Totals() const override;
  void Report(LoadResult& result) const override;

 private:
  void StopSpeaking() override { conversation_->draining = true; }
  bool NothingIsOpen() const override { return conversation_->open == 0; }

  bool IsBroadcast() const noexcept { return mode_ == LoadMode::kBroadcast; }
  void BroadcastNext(Clock::duration elapsed);
  std::string Title() const;

  const LoadMode mode_;
  const std::shared_ptr<Conversation> conversation_;
  const std::vector<std::shared_ptr<ChatBot>> bots_;

  // Of kBroadcast.
  std::uint64_t asked_for_ = 0;  // messages
  Clock::duration last_asked_{};
};

/// Threads: one.
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
