// ChatBot: speaks in a chat, and checks what it hears of the other bots.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bot/bot.h"
#include "bot/bot_message.h"
#include "bot/conversation.h"
#include "bot/hear_counts.h"
#include "bot/sequence_check.h"
#include "netcore/session/packet_session.h"

namespace samples {

/// Lifetime, threads: a Bot's.
class ChatBot final : public netcore::PacketSession, public Bot {
 public:
  ChatBot(std::shared_ptr<ConnectionStats> connections, std::size_t number);

  netcore::Session& AsSession() noexcept override { return *this; }

  /// Goes where `conversation` has a seat for it. What it has heard is forgotten.
  void Enter(std::shared_ptr<Conversation> conversation);

  /// Later, if too many of its messages are open: see SpeakUp.
  void Speak() override;

  /// Says what it could not say before, as far as there is room now.
  void SpeakUp();

  /// Of the conversation that it entered last. Threads: any.
  const HearCounts& Counts() const noexcept { return counts_; }

 private:
  void OnConnected() override { Connected(); }
  void OnPacket(const netcore::PacketView& packet) override;
  void OnDisconnected(const netcore::CloseInfo& info) override { Disconnected(info); }

  void Entered();
  void ReadNotice(std::string_view notice);
  void Hear(std::span<const std::byte> payload);
  void HearWhole(const BotMessage& message);
  void HearCorrupted(const BotMessage& message);
  SequenceCheck* CheckOf(std::uint32_t sender);
  bool HasSaid(const BotMessage& message);
  void SayWhatFits();
  void Say();

  const std::size_t number_;
  std::shared_ptr<Conversation> conversation_;
  bool is_entering_ = false;
  bool is_stalled_ = false;
  std::size_t owed_ = 0;               // messages that are to be said
  std::string text_;                   // of the message that it says next
  std::vector<SequenceCheck> checks_;  // of each speaker in its room, once it has heard one
  HearCounts counts_;
};

}  // namespace samples
