// Chat: a chat server's logic put together. Hand Sessions() to a Service; it needs no more of the
// network than that.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "chat/chat_options.h"
#include "chat/name_registry.h"
#include "chat/pinger.h"
#include "chat/problem.h"
#include "chat/room_table.h"
#include "chat/stragglers.h"
#include "netcore/base/executor.h"
#include "netcore/session/session.h"
#include "netcore/session/session_manager.h"

namespace samples::chat {

/// A look from outside while all goes on.
struct ChatStats {
  std::size_t rooms = 0;
  std::size_t names = 0;       // of those who are there
  std::uint64_t messages = 0;  // that were said in a room or in private
  std::uint64_t refused = 0;   // requests that were answered by an error
  std::uint64_t busy = 0;      // of these, because too much waited
};

///     worker: Session --- copy of the packet ---> Room's JobQueue --- logic thread: Room
///        ^                                                                 |
///        +------------- Send, SessionManager::Broadcast -------------------+
///
/// Owns: rooms, names. Lifetime: shared by its sessions. Threads: any.
class Chat : public std::enable_shared_from_this<Chat> {
 public:
  /// Rooms run on `executor`. Throws std::bad_alloc.
  Chat(std::shared_ptr<netcore::Executor> executor, const ChatOptions& options);
  Chat(const Chat&) = delete;
  Chat& operator=(const Chat&) = delete;

  /// A factory for a Service's sessions. They need PeerClose::kKeepOpen.
  netcore::SessionFactory Sessions();

  /// From now on those of `sessions` that are silent are pinged, if the options say so. Once.
  void BeginPings(std::shared_ptr<netcore::SessionManager> sessions);

  /// No more pings, and nobody who has ended is waited for. Once all sessions have ended and before
  /// the executor stops.
  void Stop() noexcept;

  ChatStats Stats() const noexcept;

  const ChatOptions& Options() const noexcept { return options_; }
  NameRegistry& Names() noexcept { return names_; }
  RoomTable& Rooms() noexcept { return rooms_; }
  Pinger& GetPinger() noexcept { return *pinger_; }
  Stragglers& GetStragglers() noexcept { return stragglers_; }

  void CountMessage() noexcept { messages_.fetch_add(1, std::memory_order_relaxed); }
  void CountRefusal(Problem problem) noexcept;

 private:
  const ChatOptions options_;
  NameRegistry names_;
  RoomTable rooms_;
  const std::shared_ptr<Pinger> pinger_;
  Stragglers stragglers_;
  std::atomic<std::uint64_t> messages_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> busy_{0};
};

}  // namespace samples::chat
