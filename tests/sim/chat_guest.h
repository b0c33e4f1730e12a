// ChatGuest: a simulated client of the chat. It asks for all that the protocol has, rightly and
// wrongly, and checks that each request gets its answer, in order, and that whatever else it hears
// was said to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chat/protocol.h"
#include "netcore/session/packet_session.h"
#include "netcore/sim/simulate.h"
#include "tests/sim/chat_ledger.h"

namespace netcore::test {

class ChatGuest;
using ChatGuestRef = std::shared_ptr<ChatGuest>;

/// What all guests of one scenario share. Lifetime: theirs; the world's is longer.
struct ChatParty {
  explicit ChatParty(SimWorld& its_world) : world(its_world), ledger(its_world) {}

  SimWorld& world;
  ChatLedger ledger;
  std::vector<std::string> names{};    // that guests ask for
  std::vector<std::string> rooms{};    // the lobby first
  std::size_t history = 0;             // the server's, as all that follows
  bool is_full_of_rooms = false;       // it refuses some
  bool is_short_of_memory = false;     // some of its allocations fail
  bool hangs_up = false;               // on who is idle or does not read, or because it stops
  bool is_acting = true;               // guests do something by themselves
  std::vector<ChatGuestRef> guests{};  // that are connected
  std::uint32_t last_key = 0;
};
using ChatPartyRef = std::shared_ptr<ChatParty>;

/// How a guest behaves.
struct ChatHabits {
  std::uint32_t steps = 0;  // that it does before it goes
  Duration pause{};         // between two of them, at most
  bool answers_pings = true;
  bool stops_reading = false;  // for seconds, now and then
};

class ChatGuest final : public PacketSession {
 public:
  ChatGuest(ChatPartyRef party, const ChatHabits& habits);

  // Requests.
  void Say();
  void Rename(const std::string& name);
  void Move(const std::string& room);
  void Leave();
  void List();
  void Who();
  void SayPrivately(const std::string& name);

  /// Ends by itself, in one of the ways that there are.
  void Go();

  bool Ended() const noexcept { return ended_; }
  /// It will ask for nothing more.
  bool IsSilent() const noexcept { return silent_; }
  bool IsAnswered() const noexcept { return requests_.empty(); }
  /// Empty as long as nobody told it.
  const std::string& Name() const noexcept { return name_; }
  const std::string& RoomName() const noexcept { return room_; }
  /// As the last answer to Who said.
  const std::vector<std::string>& Others() const noexcept { return others_; }

 private:
  enum class Kind : std::uint8_t { kSay, kRename, kMove, kList, kWho, kPrivate, kWrong };

  struct Request {
    Kind kind = Kind::kWrong;
    std::uint32_t message = 0;  // of kSay and kPrivate
    std::string name{};         // that is asked for, or the room's, or the code of the error
    std::uint64_t asked = 0;
  };

  // A name that it had, or may have had, from the request for it until it had another.
  struct Named {
    std::string name{};
    std::uint64_t begin = 0;
    std::uint64_t end = ~std::uint64_t{0};
  };

  void OnConnected() override;
  void OnPacket(const PacketView& packet) override;
  void OnPeerClosed() override { Disconnect(); }
  void OnDisconnected(const CloseInfo& info) override;

  void ActLater();
  void Act();
  void AskWrongly();
  void Ping();
  void StopReading();
  void HalfClose();
  void SendNonsense();

  std::uint32_t NewMessage(const std::string& to);
  void Ask(Kind kind, samples::chat::PacketType type, std::string_view payload, std::string name,
           std::uint32_t message = 0);
  void SendBytes(std::uint32_t type, std::string_view payload);
  void SendWaiting();

  void Take(samples::chat::PacketType type, std::string_view payload);
  void TakeSaid(std::string_view payload);
  void TakeEarlier(std::string_view payload);
  void TakeName(std::string_view name);
  void TakeRoom(std::string_view room);
  void TakeNotice(std::string_view notice);
  void TakeNews(std::string_view news);
  void TakeError(std::string_view code);
  void TakePing(std::string_view payload);
  void TakePrivate(std::string_view payload);
  void TakeRooms(std::string_view payload);
  void TakeNames(std::string_view payload);

  bool IsNext(Kind kind);
  Request Answered();
  void LearnName(std::string_view name);
  void HearFrom(const ChatMessage& message);
  bool MayBeCalled(const std::string& name, std::uint64_t since) const;
  bool IsKnown(std::string_view name) const;
  void Check(bool holds, std::string_view why) const;
  ChatGuestRef Self() { return std::static_pointer_cast<ChatGuest>(shared_from_this()); }

  const ChatPartyRef party_;
  ChatHabits habits_;
  const std::uint32_t key_;

  std::string name_;               // empty: a guest's that it does not know
  std::uint64_t named_since_ = 0;  // when it asked for that
  std::string room_;
  ChatStay stay_;
  ChatOwnership owned_;
  std::vector<Named> names_;
  std::vector<std::uint32_t> arriving_;  // the earlier messages, before the answer to the join
  std::vector<std::string> others_;
  std::map<std::uint32_t, std::uint32_t> heard_from_;  // by speaker: the last message
  std::uint32_t unsure_ = 0;  // its last message that was said to it, and perhaps to nobody else

  std::deque<Request> requests_;  // that are not answered
  std::deque<std::string> pings_;
  std::string waiting_;  // to be sent behind a piece
  bool in_pieces_ = false;
  bool silent_ = false;       // for good
  bool half_closed_ = false;  // and all before was sent
  bool stopped_reading_ = false;
  bool ended_ = false;
};

}  // namespace netcore::test
