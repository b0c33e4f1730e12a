#include "tests/sim/chat_guest.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <utility>

#include "tests/sim/failing_new.h"

namespace netcore::test {
namespace {

using samples::chat::PacketType;
using std::chrono::milliseconds;

constexpr std::size_t kMostTextBytes = 4096;

struct Wrong {
  std::uint8_t type;
  std::string_view payload;
  std::string_view code;
};

// One rule is broken by each.
constexpr std::array kWrongRequests = {
    Wrong{0, "?", "unknown-type"},
    Wrong{3, "", "unknown-type"},
    Wrong{8, "* ann joined", "unknown-type"},
    Wrong{21, "ann : hi", "unknown-type"},
    Wrong{255, "\xff", "unknown-type"},
    Wrong{17, "lobby", "bad-request"},
    Wrong{18, "x", "bad-request"},
    Wrong{19, " ", "bad-request"},
    Wrong{20, "", "bad-request"},
    Wrong{20,
          "\x09"
          "bob",
          "bad-request"},
    Wrong{1, "#1 \xff", "bad-utf8"},
    Wrong{1, "\xc0\xaf", "bad-utf8"},
    Wrong{1, "half \xe4\xb8", "bad-utf8"},
    Wrong{1, "\xed\xa0\x80", "bad-utf8"},
    Wrong{1, "two\nlines", "control-character"},
    Wrong{1, "\x1b[2J", "control-character"},
    Wrong{1, "del \x7f", "control-character"},
    Wrong{1, "\xc2\x85", "control-character"},
    Wrong{1, "", "text-empty"},
    Wrong{2, "", "name-empty"},
    Wrong{2, " ann", "name-not-allowed"},
    Wrong{2, "ann ", "name-not-allowed"},
    Wrong{2, "ann : bob", "name-not-allowed"},
    Wrong{2, "an\xffn", "bad-utf8"},
    Wrong{2, "an\tn", "control-character"},
    Wrong{2, "abcdefghijklmnopqrstuvwxyz1234567", "name-too-long"},
    Wrong{16, "", "name-empty"},
    Wrong{16, "a :b", "name-not-allowed"},
    Wrong{16, "\x80", "bad-utf8"},
    Wrong{16, "a\nb", "control-character"},
    Wrong{20, "\x06nobody#0 hi", "unknown-name"},
    Wrong{20,
          "\x03"
          "ann",
          "text-empty"},
    Wrong{20,
          "\x03"
          "ann\x01",
          "control-character"},
    Wrong{20,
          "\x03"
          "ann\xfe",
          "bad-utf8"},
    Wrong{20, "\x02 ahi", "name-not-allowed"},
};

template <typename Items>
const auto& Pick(SimRandom& random, const Items& items) {
  return items[random.Below(static_cast<std::uint32_t>(std::size(items)))];
}

std::string TextOf(std::span<const std::byte> bytes) {
  return std::string(samples::chat::TextOf(bytes));
}

}  // namespace

ChatGuest::ChatGuest(ChatPartyRef party, const ChatHabits& habits)
    : PacketSession(samples::chat::AnswerFormat()),
      party_(std::move(party)),
      habits_(habits),
      key_(++party_->last_key),
      room_(party_->rooms.front()) {
  owned_.owner = key_;
  names_.push_back({});
}

void ChatGuest::Check(bool holds, std::string_view why) const {
  if (holds) return;
  party_->world.Fail("guest " + std::to_string(key_) + ": " + std::string(why));
}

// What it asks for.

std::uint32_t ChatGuest::NewMessage(const std::string& to) {
  SimRandom& random = party_->world.Random();
  constexpr std::array<std::string_view, 4> kFillers = {"x", " : ", "\xe4\xb8\x96",
                                                        "\xf0\x9f\x98\x80"};
  const std::string filler(Pick(random, kFillers));
  const std::size_t most = random.OneIn(20) ? kMostTextBytes : random.Between(8, 120);
  ChatMessage& message = party_->ledger.Add(key_, filler, most);
  message.to = to;
  message.names.push_back(name_);
  message.rooms.push_back(room_);
  for (const Request& request : requests_) {
    if (request.kind == Kind::kRename) message.names.push_back(request.name);
    if (request.kind == Kind::kMove) message.rooms.push_back(request.name);
  }
  return message.number;
}

void ChatGuest::Say() {
  const std::uint32_t number = NewMessage({});
  Ask(Kind::kSay, PacketType::kChat, party_->ledger.At(number).text, {}, number);
}

void ChatGuest::Rename(const std::string& name) {
  Ask(Kind::kRename, PacketType::kSetName, name, name);
}

void ChatGuest::Move(const std::string& room) { Ask(Kind::kMove, PacketType::kJoin, room, room); }

void ChatGuest::Leave() { Ask(Kind::kMove, PacketType::kLeave, {}, party_->rooms.front()); }
void ChatGuest::List() { Ask(Kind::kList, PacketType::kList, {}, {}); }
void ChatGuest::Who() { Ask(Kind::kWho, PacketType::kWho, {}, {}); }

void ChatGuest::SayPrivately(const std::string& name) {
  const std::uint32_t number = NewMessage(name);
  const std::string payload = samples::chat::MakePrivate(name, party_->ledger.At(number).text);
  Ask(Kind::kPrivate, PacketType::kPrivate, payload, name, number);
}

void ChatGuest::AskWrongly() {
  SimRandom& random = party_->world.Random();
  if (random.OneIn(8)) {
    const std::string text(random.Between(kMostTextBytes + 1, 2 * kMostTextBytes), 'x');
    return Ask(Kind::kWrong, PacketType::kChat, text, "text-too-long");
  }
  const Wrong& wrong = Pick(random, kWrongRequests);
  Ask(Kind::kWrong, static_cast<PacketType>(wrong.type), wrong.payload, std::string(wrong.code));
}

void ChatGuest::Ping() {
  if (silent_) return;
  pings_.push_back("ping " + std::to_string(party_->ledger.Tick()));
  SendBytes(static_cast<std::uint32_t>(PacketType::kPing), pings_.back());
}

void ChatGuest::Ask(Kind kind, PacketType type, std::string_view payload, std::string name,
                    std::uint32_t message) {
  if (silent_) return;
  const std::uint64_t asked =
      message != 0 ? party_->ledger.At(message).asked : party_->ledger.Tick();
  if (kind == Kind::kRename) names_.push_back({name, asked});
  requests_.push_back({kind, message, std::move(name), asked});
  SendBytes(static_cast<std::uint32_t>(type), payload);
}

// Now and then a packet is sent up to some place in its middle, and the rest after a while.
void ChatGuest::SendBytes(std::uint32_t type, std::string_view payload) {
  const SendBufferRef packet =
      MakePacket(samples::chat::AnswerFormat(), type, samples::chat::BytesOf(payload));
  waiting_ += TextOf(packet->Bytes());
  SimWorld& world = party_->world;
  if (in_pieces_) return;
  if (!party_->is_acting || !world.Random().OneIn(10)) return SendWaiting();
  const std::size_t first = world.Random().Below(static_cast<std::uint32_t>(waiting_.size()));
  static_cast<void>(Send(samples::chat::BytesOf(std::string_view(waiting_).substr(0, first))));
  waiting_.erase(0, first);
  in_pieces_ = true;
  world.After(world.DrawTime(milliseconds(400)), [self = Self()] {
    self->in_pieces_ = false;
    self->SendWaiting();
  });
}

void ChatGuest::SendWaiting() {
  if (waiting_.empty()) return;
  static_cast<void>(Send(samples::chat::BytesOf(waiting_)));
  waiting_.clear();
}

// What it does by itself.

void ChatGuest::OnConnected() {
  const OwnWork own;
  party_->guests.push_back(Self());
  SimRandom& random = party_->world.Random();
  if (habits_.steps > 0 && random.OneIn(2)) Rename(Pick(random, party_->names));
  if (habits_.steps > 0 && random.OneIn(2)) Move(Pick(random, party_->rooms));
  ActLater();
}

void ChatGuest::ActLater() {
  SimWorld& world = party_->world;
  world.After(world.DrawTime(habits_.pause), [self = Self()] {
    if (self->ended_ || !self->party_->is_acting) return;
    if (self->habits_.steps == 0) return self->Go();
    --self->habits_.steps;
    self->Act();
    self->ActLater();
  });
}

void ChatGuest::Act() {
  SimRandom& random = party_->world.Random();
  if (requests_.size() > 150 || silent_) return;
  switch (random.Below(24)) {
    case 0:
    case 1:
      return Rename(Pick(random, party_->names));
    case 2:
    case 3:
    case 4:
      return Move(Pick(random, party_->rooms));
    case 5:
      return Leave();
    case 6:
      return List();
    case 7:
      return Who();
    case 8:
    case 9:
      return SayPrivately(random.OneIn(8) && !name_.empty() ? name_ : Pick(random, party_->names));
    case 10:
    case 11:
    case 12:
      return AskWrongly();
    case 13:
      return Ping();
    case 14:
      if (habits_.stops_reading) StopReading();
      return Say();
    case 15:
      // More than the server lets wait.
      if (!random.OneIn(6)) return Say();
      for (std::uint32_t count = random.Between(20, 90); count > 0; --count) Say();
      return;
    case 16: {
      const std::string name = Pick(random, party_->names);
      Move(Pick(random, party_->rooms));
      Rename(name);
      Say();
      Move(Pick(random, party_->rooms));
      return Say();
    }
    default:
      return Say();
  }
}

void ChatGuest::StopReading() {
  stopped_reading_ = true;
  PauseRecv();
  SimWorld& world = party_->world;
  world.After(world.DrawTime(std::chrono::seconds(8)), [self = Self()] { self->ResumeRecv(); });
}

void ChatGuest::HalfClose() {
  silent_ = true;
  half_closed_ = !in_pieces_;
  if (in_pieces_) waiting_.clear();  // in the middle of a packet
  ShutdownSend();
}

void ChatGuest::SendNonsense() {
  silent_ = true;
  waiting_ += "GET / HTTP/1.1\r\n\r\n";
  if (!in_pieces_) SendWaiting();
}

void ChatGuest::Go() {
  switch (party_->world.Random().Below(party_->is_acting ? 8 : 2)) {
    case 0:
      return Disconnect(CloseReason::kLocal, Closing::kAbort);
    case 1:
      return Disconnect();
    case 2:
      if (!silent_) SendNonsense();
      return;
    case 3:
    case 4:
    case 5:
      if (!silent_) HalfClose();
      return;
    default:
      silent_ = true;  // it goes when it is hung up on
  }
}

// What it hears.

void ChatGuest::OnPacket(const PacketView& packet) {
  const OwnWork own;
  party_->ledger.Tick();
  Take(static_cast<PacketType>(packet.type), samples::chat::TextOf(packet.payload));
}

void ChatGuest::Take(PacketType type, std::string_view payload) {
  switch (type) {
    case PacketType::kChat:
      return TakeSaid(payload);
    case PacketType::kEarlier:
      return TakeEarlier(payload);
    case PacketType::kSetName:
      return TakeName(payload);
    case PacketType::kJoin:
      return TakeRoom(payload);
    case PacketType::kNotice:
      return TakeNotice(payload);
    case PacketType::kPing:
      return TakePing(payload);
    case PacketType::kPrivate:
      return TakePrivate(payload);
    case PacketType::kList:
      return TakeRooms(payload);
    case PacketType::kWho:
      return TakeNames(payload);
    default:
      Check(false, "a packet has a type that no server sends");
  }
}

void ChatGuest::TakeSaid(std::string_view payload) {
  const auto line = samples::chat::ParseLine(samples::chat::BytesOf(payload));
  ChatMessage* const message = line ? party_->ledger.Find(line->text) : nullptr;
  if (message == nullptr) return Check(false, "it heard what nobody said");
  Check(arriving_.empty(), "it heard something between the earlier messages and its join");
  party_->ledger.Hear(*message, room_, line->name);
  Check(stay_.earlier.count(message->number) == 0, "an earlier message came once more");
  stay_.heard.insert(message->number);
  stay_.order.push_back(message->number);
  if (message->speaker != key_) return HearFrom(*message);
  if (!IsNext(Kind::kSay) || requests_.front().message != message->number) {
    return Check(false, "what it said came back out of its turn, or twice");
  }
  LearnName(line->name);
  Answered();
  message->answered = party_->ledger.Now();
  if (party_->is_short_of_memory) {
    unsure_ = message->number;
  } else {
    party_->ledger.Log(*message);
  }
}

void ChatGuest::HearFrom(const ChatMessage& message) {
  std::uint32_t& last = heard_from_[message.speaker];
  Check(message.number > last, "what one client said came out of order, or twice");
  last = message.number;
}

void ChatGuest::TakeEarlier(std::string_view payload) {
  const auto line = samples::chat::ParseLine(samples::chat::BytesOf(payload));
  ChatMessage* const message = line ? party_->ledger.Find(line->text) : nullptr;
  if (message == nullptr) return Check(false, "it was told of what nobody said");
  if (!IsNext(Kind::kMove)) return Check(false, "it was told of earlier messages without a join");
  party_->ledger.Hear(*message, requests_.front().name, line->name);
  Check(std::find(arriving_.begin(), arriving_.end(), message->number) == arriving_.end(),
        "an earlier message came twice");
  arriving_.push_back(message->number);
  Check(arriving_.size() <= party_->history, "there are more earlier messages than are kept");
}

void ChatGuest::TakeRoom(std::string_view room) {
  if (!IsNext(Kind::kMove) || requests_.front().name != room) {
    return Check(false, "it is in a room that it did not ask for");
  }
  Answered();
  party_->ledger.EndStay(stay_);
  room_ = room;
  stay_ = {};
  stay_.order = std::exchange(arriving_, {});
  stay_.earlier.insert(stay_.order.begin(), stay_.order.end());
  party_->ledger.BeginStay(stay_, room_);
}

void ChatGuest::TakeName(std::string_view name) {
  if (!IsNext(Kind::kRename) || requests_.front().name != name) {
    return Check(false, "it has a name that it did not ask for");
  }
  const std::uint64_t since = std::exchange(named_since_, Answered().asked);
  if (name == name_) return;
  party_->ledger.Own(name_, owned_);
  for (Named& one : names_) {
    if (one.name == name_ && one.begin <= since) one.end = std::min(one.end, party_->ledger.Now());
  }
  name_ = name;
  owned_.begin = owned_.end = party_->ledger.Now();
}

// From what it said, or from a list in which it is the only one whose name it can be.
void ChatGuest::LearnName(std::string_view name) {
  if (name_.empty()) {
    Check(IsGuestName(name), "who never had a name has one");
    name_ = name;
    for (Named& one : names_) {
      if (one.name.empty()) one.name = name;
    }
    owned_.begin = owned_.end = party_->ledger.Now();
  }
  Check(name_ == name, "it spoke by another name than it has");
}

void ChatGuest::TakeNotice(std::string_view notice) {
  if (notice.starts_with(samples::chat::kNews)) {
    return TakeNews(notice.substr(samples::chat::kNews.size()));
  }
  TakeError(samples::chat::CodeOfNotice(notice));
}

void ChatGuest::TakeNews(std::string_view news) {
  constexpr std::string_view kSent = "sent to ";
  constexpr std::string_view kCalled = " is now called ";
  if (news.starts_with(kSent)) {
    if (!IsNext(Kind::kPrivate) || requests_.front().name != news.substr(kSent.size())) {
      return Check(false, "it sent nothing to whom it is told");
    }
    const Request request = Answered();
    party_->ledger.At(request.message).answered = party_->ledger.Now();
    return;
  }
  Check(room_ != party_->rooms.front(), "the lobby is told who comes and goes");
  for (const std::string_view what : {" joined", " left"}) {
    if (news.ends_with(what) && IsKnown(news.substr(0, news.size() - what.size()))) return;
  }
  const std::size_t called = news.find(kCalled);
  Check(called != std::string_view::npos && IsKnown(news.substr(0, called)) &&
            IsKnown(news.substr(called + kCalled.size())),
        "news mean nothing");
}

void ChatGuest::TakeError(std::string_view code) {
  if (requests_.empty()) return Check(false, "it is told of an error and did not ask");
  const Request& request = requests_.front();
  bool may_be = false;
  switch (request.kind) {
    case Kind::kWrong:
      may_be = code == request.name;
      break;
    case Kind::kRename:
      may_be = code == "name-taken" && request.name != name_;
      break;
    case Kind::kMove:
      may_be = (code == "busy" && party_->is_short_of_memory) ||
               (code == "too-many-rooms" && party_->is_full_of_rooms &&
                request.name != party_->rooms.front() && request.name != room_);
      break;
    case Kind::kPrivate:
      may_be = code == "unknown-name" && request.name != name_;
      break;
    default:
      break;
  }
  if (!may_be) {
    return Check(false, "a request is answered by the wrong error: " + std::string(code) + " for " +
                            request.name);
  }
  const Request answered = Answered();
  if (answered.kind != Kind::kRename) return;
  const auto refused = std::find_if(names_.begin(), names_.end(), [&](const Named& one) {
    return one.name == answered.name && one.begin == answered.asked;
  });
  if (refused != names_.end()) names_.erase(refused);
}

void ChatGuest::TakePing(std::string_view payload) {
  if (payload.empty()) {
    if (habits_.answers_pings && !silent_) {
      SendBytes(static_cast<std::uint32_t>(PacketType::kPing), {});
    }
    return;
  }
  Check(!pings_.empty() && pings_.front() == payload, "a ping comes back as something else");
  if (!pings_.empty()) pings_.pop_front();
}

void ChatGuest::TakePrivate(std::string_view payload) {
  const auto line = samples::chat::ParsePrivate(samples::chat::BytesOf(payload));
  ChatMessage* const message = line ? party_->ledger.Find(line->text) : nullptr;
  if (message == nullptr || message->to.empty()) {
    return Check(false, "it was told in private what nobody said so");
  }
  party_->ledger.CheckName(*message, line->name);
  Check(!std::exchange(message->is_received, true), "a private message came twice");
  Check(MayBeCalled(message->to, message->asked), "it got a private message of somebody else");
  if (message->speaker != key_) HearFrom(*message);
}

void ChatGuest::TakeRooms(std::string_view payload) {
  if (!IsNext(Kind::kList)) return Check(false, "it did not ask for the rooms");
  Answered();
  const auto list = samples::chat::ParseRooms(samples::chat::BytesOf(payload));
  if (!list || list->more != 0) return Check(false, "the list of rooms is none");
  bool has_lobby = false;
  for (std::size_t index = 0; index < list->rooms.size(); ++index) {
    const samples::chat::RoomEntry& entry = list->rooms[index];
    const bool is_lobby = entry.name == party_->rooms.front();
    has_lobby = has_lobby || is_lobby;
    Check(index == 0 || list->rooms[index - 1].name < entry.name, "the rooms are not sorted");
    Check(entry.members > 0 || is_lobby, "there is a room with nobody in it");
    Check(std::find(party_->rooms.begin(), party_->rooms.end(), entry.name) != party_->rooms.end(),
          "there is a room that nobody asked for");
  }
  Check(has_lobby, "there is no lobby");
}

void ChatGuest::TakeNames(std::string_view payload) {
  if (!IsNext(Kind::kWho)) return Check(false, "it did not ask for the names");
  Answered();
  const auto list = samples::chat::ParseNames(samples::chat::BytesOf(payload));
  if (!list || list->more != 0) return Check(false, "the list of names is none");
  others_.assign(list->names.begin(), list->names.end());
  Check(std::is_sorted(others_.begin(), others_.end()) &&
            std::adjacent_find(others_.begin(), others_.end()) == others_.end(),
        "the names are not sorted, or one is there twice");
  Check(std::all_of(others_.begin(), others_.end(),
                    [this](const std::string& name) { return IsKnown(name); }),
        "somebody has a name that nobody asked for");
  const bool is_there = name_.empty() ? std::any_of(others_.begin(), others_.end(), IsGuestName)
                                      : std::binary_search(others_.begin(), others_.end(), name_);
  Check(is_there, "it is not in its own room");
}

bool ChatGuest::IsNext(Kind kind) { return !requests_.empty() && requests_.front().kind == kind; }

// The first request. Whatever was certain when it was sent is so still when it is executed.
ChatGuest::Request ChatGuest::Answered() {
  Request request = std::move(requests_.front());
  requests_.pop_front();
  party_->ledger.Tick();
  owned_.end = std::max(owned_.end, request.asked);
  if (unsure_ != 0) party_->ledger.Log(party_->ledger.At(std::exchange(unsure_, 0)));
  if (stay_.begin == 0) {
    party_->ledger.BeginStay(stay_, room_);
  } else {
    party_->ledger.CheckStay(stay_, room_, request.asked);
  }
  return request;
}

bool ChatGuest::MayBeCalled(const std::string& name, std::uint64_t since) const {
  return std::any_of(names_.begin(), names_.end(), [&](const Named& one) {
    return one.end >= since && (one.name == name || (one.name.empty() && IsGuestName(name)));
  });
}

bool ChatGuest::IsKnown(std::string_view name) const {
  return IsGuestName(name) ||
         std::find(party_->names.begin(), party_->names.end(), name) != party_->names.end();
}

void ChatGuest::OnDisconnected(const CloseInfo& info) {
  const OwnWork own;
  ended_ = true;
  std::erase(party_->guests, Self());
  party_->ledger.EndStay(stay_);
  party_->ledger.Own(name_, owned_);
  const FaultPlan::Counts& faults = party_->world.Faults().GetCounts();
  const bool was_cut = faults[static_cast<std::size_t>(Fault::kPeerFin)] > 0 ||
                       faults[static_cast<std::size_t>(Fault::kPeerReset)] > 0;
  if (!half_closed_ || info.reason != CloseReason::kPeerClosed) return;
  Check(requests_.empty() || was_cut || stopped_reading_ || party_->hangs_up ||
            party_->is_short_of_memory,
        "who closed its sending side did not get all the answers");
}

}  // namespace netcore::test
