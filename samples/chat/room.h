// Room: those who hear each other. An actor: all that it does it does in jobs of its queue, one
// after another, so that it needs no lock and everybody in it sees the same order.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "chat/batch.h"
#include "chat/history.h"
#include "chat/protocol.h"
#include "netcore/base/executor.h"
#include "netcore/buffer/owned_bytes.h"
#include "netcore/buffer/send_buffer.h"
#include "netcore/logic/job_queue.h"
#include "netcore/session/group_id.h"
#include "netcore/session/session_manager.h"

namespace samples::chat {

class Chat;
class ChatSession;
class Room;

using ChatSessionRef = std::shared_ptr<ChatSession>;
using RoomRef = std::shared_ptr<Room>;

/// How a session goes from room to room:
///
///     its worker               this room's queue                the next room's queue
///     join came: pauses
///       PushRequest ---------> leaves the group
///                                PushEnter -------------------> joins the group, greets
///     goes on in the next <---------------------------------------- Arrive
///
/// What is said waits in a batch for what is behind it in the queue: a job at the end of the queue
/// sends all of it. Whatever else happens in the room first sends what waits, so that everything
/// comes in the order in which it was asked for.
///
/// Meanwhile nothing else of the session is on its way, so no request overtakes its move; and if it
/// ends then, its Gone follows it through the same queues.
///
/// Owns: its queue, its history, the names of who is in it. Lifetime: the room table's, as long as
/// somebody is in it; of jobs that are not the last of their session in it. Threads: those that
/// push, any; all else in jobs.
class Room final : public std::enable_shared_from_this<Room> {
 public:
  /// Throws std::bad_alloc.
  Room(Chat& chat, std::shared_ptr<netcore::Executor> executor, std::string_view name,
       netcore::GroupId group);
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  const std::string& Name() const noexcept { return name_; }

  // All of them throw std::bad_alloc; nothing is pushed then. In the session's order.

  /// The session, an occupant already, comes in.
  netcore::PushResult PushEnter(ChatSessionRef session);

  /// A packet of a session that is in this room.
  netcore::PushResult PushRequest(ChatSessionRef session, PacketType type,
                                  netcore::OwnedBytes payload);

  /// The session has sent all it had to send, and gets the answers before it ends.
  netcore::PushResult PushFinish(ChatSessionRef session);

  /// The session has ended, here or on its way from here to the next room.
  netcore::PushResult PushGone(ChatSessionRef session);

 private:
  // Of jobs, without limit, a queue may hold what all sessions' windows let through.
  static constexpr std::size_t kMaxJobs = std::size_t{1} << 20;

  void Enter(ChatSession& session);
  void Gone(ChatSession& session) noexcept;

  void Execute(ChatSession& session, PacketType type, std::string_view payload);
  void Say(ChatSession& session, std::string_view text);
  void Rename(ChatSession& session, std::string_view name);
  void Move(ChatSession& session, std::string_view name);
  void SayPrivately(ChatSession& session, std::string_view payload);
  void SendNames(ChatSession& session) const;

  void FlushSoon();
  void Flush() noexcept;
  void Greet(ChatSession& session);
  void Announce(std::initializer_list<std::string_view> news,
                netcore::SessionId except = {}) noexcept;

  Chat& chat_;
  const std::string name_;
  const netcore::GroupId group_;
  const netcore::JobQueueRef queue_;
  std::shared_ptr<netcore::SessionManager> sessions_;  // from the first who enters on
  std::set<std::string, std::less<>> members_;
  Batch batch_;
  bool flush_queued_ = false;  // a job that flushes is in the queue
  History history_;
};

}  // namespace samples::chat
