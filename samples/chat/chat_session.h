// ChatSession: one client of the chat. Cuts packets on its worker, and hands them to the room that
// it is in; what comes back is sent by the room.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "chat/problem.h"
#include "chat/protocol.h"
#include "chat/request_window.h"
#include "chat/room.h"
#include "netcore/session/packet_session.h"

namespace samples::chat {

class Chat;

/// Lifetime: a session's, and that of the jobs on its behalf. Threads: three kinds of methods, see
/// below.
class ChatSession final : public netcore::PacketSession {
 public:
  explicit ChatSession(std::shared_ptr<Chat> chat);

  // The room's that the session is in, in its jobs: from its Enter until it has pushed it on to the
  // next one.

  /// Empty until the session has entered the first room.
  const std::string& Name() const noexcept { return name_; }
  void SetName(std::string name) noexcept { name_ = std::move(name); }

  /// Set by a room that has pushed the session on; stays until it has arrived.
  const RoomRef& NextRoom() const noexcept { return next_room_; }
  void SetNextRoom(RoomRef room) noexcept { next_room_ = std::move(room); }

  /// The session has entered `room`, or stays where it is: what it asked for next goes there.
  void Arrive(RoomRef room) noexcept;
  void Stay() noexcept;

  // Any thread's.

  /// Sends a packet with `text`, or a notice. Throw std::bad_alloc.
  void Answer(PacketType type, std::string_view text);
  void Refuse(Problem problem, std::string_view name = {});

  /// A request of so many bytes is not waiting any more.
  void Executed(std::size_t bytes) noexcept;

  /// The pinger's round in which a packet came last.
  std::uint64_t LastRound() const noexcept { return last_round_.load(std::memory_order_relaxed); }

  ChatSessionRef Self() { return std::static_pointer_cast<ChatSession>(shared_from_this()); }

  // Once the session has ended: whoever has it.

  /// Takes the session out of the chat, through the room that it was in, or at some other time if
  /// that is not possible now.
  void BeGone() noexcept;

  /// The same through the room that it was on its way to.
  void FollowTo(Room& next) noexcept;

 private:
  friend class Stragglers;

  void OnConnected() override;
  void OnPacket(const netcore::PacketView& packet) override;
  void OnPeerClosed() override;
  void OnDisconnected(const netcore::CloseInfo& info) override;

  template <typename Action>
  void OnOwnThread(Action action) noexcept;
  void ReadAgain() noexcept;

  const std::shared_ptr<Chat> chat_;

  // Its worker's.
  RoomRef room_;           // where its requests go
  bool moving_ = true;     // between two rooms: not read from
  bool too_much_ = false;  // waits in the window: not read from

  // Its room's.
  std::string name_;
  RoomRef next_room_;

  RequestWindow window_;
  std::atomic<std::uint64_t> last_round_{0};
  ChatSessionRef next_straggler_;
};

}  // namespace samples::chat
