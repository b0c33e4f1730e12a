// ChatLedger: what the clients of a simulated chat said and heard, and whether that can be true.
// Knows the protocol's promises, nothing of the server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "netcore/sim/simulate.h"

namespace netcore::test {

/// Something that a client said: its text begins with its number and stands in no other.
struct ChatMessage {
  std::uint32_t number = 0;
  std::uint32_t speaker = 0;  // a client's key
  std::string text{};
  std::string to{};                  // the name that it is said to alone; empty: to a room
  std::vector<std::string> rooms{};  // where it may be said: the rooms that its speaker asked for
  std::vector<std::string> names{};  // that its speaker may have then; an empty one: a guest's
  std::string room{};                // where it was said, once somebody has heard it
  std::string name{};                // by whom, the same
  std::uint64_t asked = 0;           // when it was sent to the server
  std::uint64_t answered = 0;        // when the speaker knew that it was said; 0: not yet
  bool is_sure = false;              // everybody who is there gets it
  bool is_received = false;          // of a private one
};

/// A name that a client certainly had from `begin` to `end`.
struct ChatOwnership {
  std::uint32_t owner = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// A client's stay in a room, from the answer to its join on.
struct ChatStay {
  std::uint64_t begin = 0;             // 0: it does not know yet that it is in
  std::size_t checked = 0;             // of the room's log
  std::set<std::uint32_t> heard{};     // live
  std::set<std::uint32_t> earlier{};   // before its begin
  std::vector<std::uint32_t> order{};  // earlier and live
};

/// Time is counted in events of clients: of two, the one with the smaller number came first, and
/// the server executes a request after it was sent and before it is answered.
///
/// Lifetime: shared by the clients; the world's is longer. Threads: one.
class ChatLedger {
 public:
  explicit ChatLedger(SimWorld& world) noexcept : world_(world) {}

  /// Counts one event.
  std::uint64_t Tick() noexcept { return ++now_; }
  std::uint64_t Now() const noexcept { return now_; }

  /// A message that is about to be said. It has its number, and a text of that and `filler`.
  ChatMessage& Add(std::uint32_t speaker, const std::string& filler, std::size_t most_bytes);
  ChatMessage& At(std::uint32_t number) { return messages_.at(number - 1); }

  /// The message of which this is the whole text; null if nobody said it.
  ChatMessage* Find(std::string_view text);

  /// Somebody in `room` heard it from `name`. All must agree, and it must be possible.
  void Hear(ChatMessage& message, std::string_view room, std::string_view name);
  void CheckName(ChatMessage& message, std::string_view name);

  /// Everybody who was there all the time must have heard it by the next answer.
  void Log(ChatMessage& message);
  void BeginStay(ChatStay& stay, const std::string& room);
  void CheckStay(ChatStay& stay, const std::string& room, std::uint64_t asked);
  void EndStay(const ChatStay& stay);

  void Own(const std::string& name, const ChatOwnership& ownership);

  /// In everything that was heard, each message has one successor in its room; no two clients had
  /// one name; what was said in private reached who had the name. `losing`: messages whose speaker
  /// was ended may have been lost, as memory was short.
  void CheckAll(bool losing);

 private:
  struct Logged {
    std::uint32_t number;
    std::uint64_t time;
  };

  void CheckOrder(bool losing);
  void CheckOwners();
  void CheckPrivate();

  SimWorld& world_;
  std::uint64_t now_ = 0;
  std::vector<ChatMessage> messages_;
  std::map<std::string, std::vector<Logged>> logs_;  // by room
  std::vector<std::vector<std::uint32_t>> orders_;   // that were heard
  std::map<std::string, std::vector<ChatOwnership>> owners_;
};

/// A guest's name, as the server makes them.
bool IsGuestName(std::string_view name) noexcept;

}  // namespace netcore::test
