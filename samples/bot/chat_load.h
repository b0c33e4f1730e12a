// ChatLoad: the modes "chat" and "broadcast".
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bot/chat_bot.h"
#include "bot/conversation.h"
#include "bot/load.h"

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

}  // namespace samples
