// Who enters, who speaks when, and what was heard of it.
#include "bot/chat_load.h"

#include <algorithm>
#include <functional>
#include <sstream>
#include <utility>

namespace samples {
namespace {

// Weak, as the bots have a share in their conversation.
std::function<void(std::size_t)> MakeWake(const std::vector<std::shared_ptr<ChatBot>>& bots) {
  return
      [bots = std::vector<std::weak_ptr<ChatBot>>(bots.begin(), bots.end())](std::size_t speaker) {
        const std::shared_ptr<ChatBot> bot = bots[speaker].lock();
        if (bot) static_cast<void>(bot->Post([bot = bot.get()] { bot->SpeakUp(); }));
      };
}

}  // namespace

ChatLoad::ChatLoad(const LoadOptions& options, LoadMode mode, std::uint32_t run,
                   std::vector<std::shared_ptr<ChatBot>> bots)
    : Load(options),
      mode_(mode),
      conversation_(std::make_shared<Conversation>(options, mode, run, MakeWake(bots))),
      bots_(std::move(bots)) {
  for (std::size_t client = 0; client < bots_.size(); ++client) {
    if (conversation_->Seats().Speaks(client)) AddSpeaker(bots_[client]);
  }
}

void ChatLoad::Prepare() {
  for (const std::shared_ptr<ChatBot>& bot : bots_) {
    static_cast<void>(
        bot->Post([bot = bot.get(), conversation = conversation_] { bot->Enter(conversation); }));
  }
}

void ChatLoad::Begin() {
  if (!IsBroadcast()) Load::Begin();
}

void ChatLoad::Tick(Clock::duration elapsed) {
  if (IsBroadcast()) return BroadcastNext(elapsed);
  Load::Tick(elapsed);
}

void ChatLoad::BroadcastNext(Clock::duration elapsed) {
  if (asked_for_ == Options().messages || conversation_->said < asked_for_) return;
  if (conversation_->open > 0) return;
  ++asked_for_;
  last_asked_ = elapsed;
  AskToSpeak(0, 1);
}

bool ChatLoad::IsOver(Clock::duration elapsed) const {
  if (!IsBroadcast()) return Load::IsOver(elapsed);
  if (conversation_->said == Options().messages && conversation_->open == 0) return true;
  return elapsed - last_asked_ > Options().drain_timeout;
}

double ChatLoad::Done(Clock::duration elapsed) const {
  if (conversation_->ready < bots_.size()) {
    return static_cast<double>(conversation_->ready) / static_cast<double>(bots_.size());
  }
  if (!IsBroadcast()) return Load::Done(elapsed);
  return static_cast<double>(conversation_->said) / static_cast<double>(Options().messages);
}

LoadTotals ChatLoad::Totals() const {
  LoadTotals totals{conversation_->said, 0};
  for (const std::shared_ptr<ChatBot>& bot : bots_) totals.deliveries += bot->Counts().heard.Get();
  return totals;
}

void ChatLoad::Report(LoadResult& result) const {
  result.title = Title();
  result.totals = Totals();
  result.expected = conversation_->expected;
  // What comes in this very moment is not expected any more.
  result.lost = result.expected - std::min(result.totals.deliveries, result.expected);
  for (const std::shared_ptr<ChatBot>& bot : bots_) {
    const HearCounts& counts = bot->Counts();
    result.duplicated += counts.duplicated.Get();
    result.reordered += counts.reordered.Get();
    result.corrupted += counts.corrupted.Get();
    result.foreign += counts.foreign.Get();
  }
  result.held_back = conversation_->held_back;
  result.complaints = conversation_->complaints;
  result.first_complaint = conversation_->FirstComplaint();
  if (conversation_->round_trip.Count() > 0) result.round_trip.emplace(conversation_->round_trip);
  if (conversation_->last_receiver.Count() > 0) {
    result.last_receiver.emplace(conversation_->last_receiver);
  }
}

std::string ChatLoad::Title() const {
  const Seating& seats = conversation_->Seats();
  std::ostringstream text;
  text << seats.MemberCount() << " of " << bots_.size() << " clients in ";
  if (seats.IsLobby()) {
    text << "the lobby, ";
  } else {
    text << seats.RoomCount() << (seats.RoomCount() == 1 ? " room, " : " rooms, ");
  }
  if (SpeakerCount() == seats.MemberCount()) {
    text << "all talk";
  } else {
    text << SpeakerCount() << (SpeakerCount() == 1 ? " talks" : " talk");
  }
  return text.str();
}

}  // namespace samples
