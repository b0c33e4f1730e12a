// SessionManager: the sessions of one service or connector that are connected: finding them by id,
// grouping them, speaking to many at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "netcore/buffer/send_buffer.h"
#include "netcore/session/group_id.h"
#include "netcore/session/session.h"
#include "netcore/session/session_id.h"

namespace netcore {

class Group;
class GroupDirectory;
class Inbox;
class SessionTable;

/// A session is here from right before OnConnected until right before OnDisconnected.
///
/// Order: Join, Leave and Broadcast stand in the one order of each session with Send, Disconnect
/// and Post: of two calls, the one that happens before the other comes first at every session,
/// whichever threads made them. So a session gets what is broadcast between its Join and its Leave,
/// whole, once, in that order, behind what was sent to it before. Broadcasts that nothing puts in
/// order may reach sessions of different workers in different orders.
///
/// Owns: a slot for each session, and who is in which group; no session. Lifetime: shared by its
/// service and its sessions; may outlive both, and is empty then. Threads: any. No lock is held
/// while something is sent, or while code of the user's runs.
class SessionManager : public std::enable_shared_from_this<SessionManager> {
 public:
  /// One inbox a worker, by the worker's index.
  explicit SessionManager(std::vector<std::shared_ptr<Inbox>> inboxes);
  SessionManager(const SessionManager&) = delete;
  SessionManager& operator=(const SessionManager&) = delete;
  ~SessionManager();

  /// The session, or null when it has ended, has not begun, or never was one of this manager's.
  SessionRef Find(SessionId id) const noexcept;

  /// All that are here now. Throws std::bad_alloc.
  std::vector<SessionRef> Snapshot() const;

  /// Calls `action(session)`, on the calling thread, for all that are here when it is called. Who
  /// ends meanwhile is among them. Throws std::bad_alloc, and what `action` throws.
  template <typename Action>
  void ForEach(Action&& action) const {
    for (const SessionRef& session : Snapshot()) action(session);
  }

  std::size_t Count() const noexcept;

  /// From now on the session gets what is broadcast to `group`, until it leaves or ends: no need to
  /// leave at the end. A second time it does nothing. Works in OnConnected already. False, and
  /// nothing is done: the session is ending, has ended, has not begun, is not one of this
  /// manager's, or memory is short; that ends the session with kSystemError.
  bool Join(GroupId group, const SessionRef& session) noexcept;
  bool Join(GroupId group, SessionId session) noexcept;

  /// Does nothing for who is not in. Where memory is short the session ends with kSystemError,
  /// which is a way to leave.
  void Leave(GroupId group, const SessionRef& session) noexcept;
  void Leave(GroupId group, SessionId session) noexcept;
  void LeaveAll(const SessionRef& session) noexcept;
  void LeaveAll(SessionId session) noexcept;

  /// Sends `buffer`, without a copy, to all of `group` but `except`; nobody writes to it again.
  /// Crosses threads once for each worker that has members. A receiver whose bound it would pass
  /// ends with kSendQueueFull, as by Send, and one for which memory is short with kSystemError; the
  /// others do not notice. False: memory is short, and nobody gets it.
  bool Broadcast(GroupId group, SendBufferRef buffer, SessionId except = {}) noexcept;

  /// The same to all of `group`. On each worker those of `first` that are in it are sent to before
  /// the others: who speaks to thousands does not wait for them.
  bool BroadcastFirstTo(std::span<const SessionId> first, GroupId group,
                        SendBufferRef buffer) noexcept;

  /// The same to all sessions whose OnConnected has returned: what that sends comes first.
  bool BroadcastAll(SendBufferRef buffer, SessionId except = {}) noexcept;

  /// How many are in `group`; a join or a leave that is on its way to another thread counts one.
  std::size_t GroupSize(GroupId group) const noexcept;

  /// How many groups have members.
  std::size_t GroupCount() const noexcept;

 private:
  friend class Connection;
  friend class GroupCheck;  // a simulation's

  class BroadcastMail;
  struct Message;

  SessionTable& Table(std::size_t worker) const noexcept { return *tables_[worker]; }
  GroupDirectory& Groups() const noexcept { return *groups_; }
  std::uint64_t BroadcastsToAll() const noexcept {
    return broadcasts_to_all_.load(std::memory_order_relaxed);
  }
  Connection* MineOf(const SessionRef& session) const noexcept;

  bool Spread(const Message& message) noexcept;
  bool HasReceivers(const Message& message, std::size_t worker) const noexcept;
  bool IsHere(std::size_t worker) const noexcept;
  void PutFirst(const std::vector<SessionId>& first, std::size_t worker) const noexcept;
  void Deliver(const Message& message, std::size_t worker) const noexcept;

  const std::vector<std::shared_ptr<Inbox>> inboxes_;
  std::vector<std::unique_ptr<SessionTable>> tables_;  // by worker; fixed once made
  const std::unique_ptr<GroupDirectory> groups_;
  std::atomic<std::uint64_t> broadcasts_to_all_{0};
};

}  // namespace netcore
