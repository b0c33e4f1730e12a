// Little for each message that is heard, as everybody hears everybody.
#include "bot/chat_bot.h"

#include <utility>

#include "chat/protocol.h"

namespace samples {

using chat::PacketType;

namespace {

constexpr std::uint32_t NumberOf(PacketType type) noexcept {
  return static_cast<std::uint32_t>(type);
}

}  // namespace

ChatBot::ChatBot(std::shared_ptr<ConnectionStats> connections, std::size_t number)
    : PacketSession(chat::AnswerFormat()), Bot(std::move(connections)), number_(number) {}

void ChatBot::Enter(std::shared_ptr<Conversation> conversation) {
  conversation_ = std::move(conversation);
  counts_.Clear();
  checks_ = {};
  owed_ = 0;
  is_stalled_ = false;
  const Seating& seats = conversation_->Seats();
  if (!seats.IsMember(number_)) return Entered();
  if (seats.Speaks(number_)) text_ = BotMessage::MakeText(conversation_->MessageSize());
  is_entering_ = true;
  SendPacket(NumberOf(PacketType::kJoin), chat::BytesOf(seats.NameOf(seats.RoomOf(number_))));
}

void ChatBot::Entered() {
  is_entering_ = false;
  conversation_->ready.fetch_add(1);
}

void ChatBot::OnPacket(const netcore::PacketView& packet) {
  switch (static_cast<PacketType>(packet.type)) {
    case PacketType::kChat:
      return Hear(packet.payload);
    case PacketType::kPing:
      if (packet.payload.empty()) SendPacket(packet.type, {});
      return;
    case PacketType::kNotice:
      return ReadNotice(chat::TextOf(packet.payload));
    case PacketType::kJoin:
      if (is_entering_) Entered();
      return;
    default:
      return;  // nothing that it asked for
  }
}

void ChatBot::ReadNotice(std::string_view notice) {
  if (conversation_ && !chat::CodeOfNotice(notice).empty()) conversation_->Complain(notice);
}

void ChatBot::Hear(std::span<const std::byte> payload) {
  if (!conversation_) return;
  const auto line = chat::ParseLine(payload);
  BotMessage message;
  switch (line ? message.Read(line->text, conversation_->Run()) : BotMessage::Found::kForeign) {
    case BotMessage::Found::kForeign:
      return counts_.foreign.Add();
    case BotMessage::Found::kCorrupted:
      return HearCorrupted(message);
    case BotMessage::Found::kWhole:
      return HearWhole(message);
  }
}

void ChatBot::HearWhole(const BotMessage& message) {
  SequenceCheck* const check = CheckOf(message.sender);
  if (check == nullptr || !HasSaid(message)) return counts_.corrupted.Add();
  switch (check->Take(message.sequence)) {
    case SequenceCheck::Found::kRepeated:
      return counts_.duplicated.Add();
    case SequenceCheck::Found::kLate:
      counts_.reordered.Add();
      break;
    case SequenceCheck::Found::kNew:
      break;
  }
  counts_.heard.Add();
  const bool is_last = conversation_->Hear(message.sender, message.sequence);
  const bool is_own = message.sender == number_;
  if (!is_last && !is_own) return;
  const std::chrono::nanoseconds taken = conversation_->Now() - message.time;
  if (is_last) conversation_->last_receiver.Record(taken);
  if (!is_own) return;
  conversation_->round_trip.Record(taken);
  if (conversation_->SpeaksWhenAnswered()) Speak();
}

// If it is in the place of the one that should come next it is not counted as lost too.
void ChatBot::HearCorrupted(const BotMessage& message) {
  counts_.corrupted.Add();
  SequenceCheck* const check = CheckOf(message.sender);
  if (check == nullptr || !HasSaid(message) || check->Next() != message.sequence) return;
  static_cast<void>(check->Take(message.sequence));
  counts_.heard.Add();
  static_cast<void>(conversation_->Hear(message.sender, message.sequence));
}

// Null if nobody of that number speaks in the bot's room.
SequenceCheck* ChatBot::CheckOf(std::uint32_t sender) {
  const Seating& seats = conversation_->Seats();
  if (!seats.IsMember(number_) || !seats.Speaks(sender)) return nullptr;
  const std::size_t room = seats.RoomOf(number_);
  if (seats.RoomOf(sender) != room) return nullptr;
  if (checks_.empty()) checks_.resize(seats.SpeakersIn(room));
  return &checks_[seats.ChairOf(sender)];
}

bool ChatBot::HasSaid(const BotMessage& message) {
  return conversation_->FlightOf(message.sender).HasDeparted(message.sequence);
}

void ChatBot::Speak() {
  if (!conversation_->FlightOf(number_).HasRoom()) conversation_->held_back.fetch_add(1);
  ++owed_;
  SpeakUp();
}

void ChatBot::SpeakUp() {
  if (conversation_->draining.load()) owed_ = 0;
  SayWhatFits();
  const bool waits = owed_ > 0;
  if (waits == is_stalled_) return;
  is_stalled_ = waits;
  if (!waits) {
    conversation_->stalled.fetch_sub(1);
    return;
  }
  conversation_->stalled.fetch_add(1);
  SayWhatFits();  // who made room before it could see that somebody waits wakes nobody
}

void ChatBot::SayWhatFits() {
  for (; owed_ > 0 && conversation_->FlightOf(number_).HasRoom(); --owed_) Say();
}

void ChatBot::Say() {
  BotMessage message;
  message.sender = static_cast<std::uint32_t>(number_);
  message.time = conversation_->Now();
  message.sequence = conversation_->Say(number_);
  message.Write(text_, conversation_->Run());
  SendPacket(NumberOf(PacketType::kChat), chat::BytesOf(text_));
}

}  // namespace samples
