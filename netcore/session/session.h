// Session: one connection, as its user sees it. Subclass it (or PacketSession), override the hooks,
// hand a factory to a Service. The machinery behind it is Connection.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <type_traits>

#include "netcore/base/endpoint.h"
#include "netcore/base/task.h"
#include "netcore/buffer/owned_bytes.h"
#include "netcore/buffer/send_buffer.h"
#include "netcore/session/close_info.h"
#include "netcore/session/session_id.h"

namespace netcore {

class Connection;
class PacketSession;
class Session;
class SessionManager;

using SessionRef = std::shared_ptr<Session>;

/// Makes a session for each connection. Runs on the thread of the worker that the session will live
/// on. The session must be new, and the std::shared_ptr must be the one that owns it: see Session,
/// Lifetime. If the factory throws, or what it returns is null or is no such session, the
/// connection is closed, the log says why, and ServiceStats::factory_failures counts it.
using SessionFactory = std::function<std::shared_ptr<Session>()>;

namespace detail {

template <typename Base>
void HasOneSharedFromThis(const std::enable_shared_from_this<Base>&);

}  // namespace detail

/// True for a session type whose std::shared_ptr sets what Session::shared_from_this needs. False
/// if the type derives from a second std::enable_shared_from_this: std::make_shared then sets
/// neither.
template <typename T>
inline constexpr bool kIsSessionType =
    std::is_convertible_v<T*, Session*> &&
    requires(const T& session) { detail::HasOneSharedFromThis(session); };

/// A factory for sessions of type T without arguments. Does not compile for a T that derives from a
/// second std::enable_shared_from_this, directly or through another base.
template <typename T>
std::shared_ptr<Session> MakeSession() {
  static_assert(std::is_convertible_v<T*, Session*>, "MakeSession<T>: T must derive from Session");
  static_assert(kIsSessionType<T>,
                "MakeSession<T>: T must not derive from a second std::enable_shared_from_this, "
                "because Session is one already and std::make_shared sets neither of two");
  return std::make_shared<T>();
}

/// What became of a Send, decided at once.
enum class SendResult : std::uint8_t {
  kQueued,     // the bytes will leave in their turn, unless the session ends first
  kClosing,    // not connected: the session is ending, has ended, or has not begun
  kQueueFull,  // SessionOptions::max_send_queue_bytes would be passed; the session ends with
               // kSendQueueFull
  kBadPacket,  // of PacketSession::SendPacket: the format can't say this packet. Nothing is queued,
               // and the session goes on: the caller has a bug, or an answer that is too long
};

///     accept / connect -> Connected -> Disconnecting -> Closed
///
/// Hooks run on the session's worker thread, never two at once, in the order
///     OnConnected, (OnRecv | OnSend | OnPeerClosed)*, OnDisconnected
/// with the ends exactly once; a connect that fails gets OnDisconnected alone. A hook that throws
/// ends its session with kHookThrew and nothing else. A hook must not block: everybody on its
/// worker waits for it. Leave long work to other threads, which Send and Disconnect at any time.
///
/// Lifetime: kept alive by netcore from accept or connect until OnDisconnected has returned; a
/// reference held longer is harmless. One object serves one connection. It is owned by the
/// std::shared_ptr that a factory returns or Connector::Connect is given, made by std::make_shared
/// or of what `new` returned. A subclass must not derive from a second
/// std::enable_shared_from_this (this is one already; derived types use
/// std::static_pointer_cast), and an aliasing std::shared_ptr, which owns another object, is
/// refused. With a deleter of its own it is the deleter's affair to keep the object until it is
/// called. All verbs may be called in a destructor too, where they do nothing.
///
/// Threads: any, for all that is public. What happens before in the callers, whichever threads they
/// are, happens before at the session: sends arrive in that order.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session();

  /// Queues a copy of `bytes` behind earlier sends. All that is sent in one round of the worker
  /// leaves in one system call; but what is large (8 KiB on epoll), and sent on the session's own
  /// thread with nothing before it, leaves at once, without the copy. Never blocks, never calls a
  /// hook, never throws: where memory is short the session ends with kSystemError.
  SendResult Send(std::span<const std::byte> bytes) noexcept;

  /// The same inside an OnRecv, this session's or another's, for bytes that it was given: gives
  /// them away, and nobody may write to them any more. Where the system's port can lend them for so
  /// long (io_uring, from 2 KiB on, to a session of the same worker), they are not copied. For
  /// servers that pass on what they get.
  SendResult SendReceived(std::span<std::byte> bytes) noexcept;

  /// As Send, without a copy. Shares `buffer` until it is sent or the session ends; nobody writes
  /// to it again.
  SendResult Send(SendBufferRef buffer) noexcept;

  /// Begins the end: from now on Send says kClosing and OnRecv is not called any more.
  /// OnDisconnected tells when all is over, never from inside this call. Any number of times: the
  /// first reason stands; a later kAbort cuts a graceful end short. While a connect is under way,
  /// it gives that up.
  void Disconnect(CloseReason reason = CloseReason::kLocal,
                  Closing closing = Closing::kGraceful) noexcept;

  /// Half-closes: sends FIN behind what is queued, and goes on receiving. From now on Send says
  /// kClosing. The session ends when the peer closes too (kPeerClosed), or by Disconnect.
  void ShutdownSend() noexcept;

  /// Stops OnRecv until ResumeRecv, so that a peer that sends too fast is slowed down by TCP. On
  /// the session's own thread it is done when it returns. Meanwhile nothing that the peer does is
  /// noticed, but through failing sends.
  void PauseRecv() noexcept;
  void ResumeRecv() noexcept;

  /// Runs `task` on the session's thread, in order with sends and disconnects; what it throws ends
  /// the session as in a hook. False, and `task` is destroyed, when the session's worker is gone. A
  /// task whose turn comes after OnDisconnected, or whose worker stops first, is destroyed without
  /// being run. Throws std::bad_alloc.
  bool Post(Task task);

  /// Bytes that wait in the session, of those that Send took. 0 from the beginning of
  /// OnDisconnected on: CloseInfo::bytes_unsent says what was lost.
  std::size_t QueuedBytes() const noexcept;

  bool IsConnected() const noexcept;

  /// None before the session begins; stays when it has ended, and is no other session's of the same
  /// service or connector then either.
  SessionId Id() const noexcept;

  /// Where the session is found by its id, and joins groups. Null before the session begins.
  std::shared_ptr<SessionManager> Manager() const noexcept;

  /// None before the session begins; stays when it has ended.
  Endpoint PeerEndpoint() const noexcept;
  Endpoint LocalEndpoint() const noexcept;

 protected:
  /// Sending and joining groups works from here on.
  virtual void OnConnected() {}

  /// What arrived: 64 KiB at most, cut wherever TCP cut it. Yours until you return, also to decrypt
  /// in place.
  virtual void OnRecv(std::span<std::byte> bytes);

  /// One gather of queued sends, or 64 KiB of a longer one, or a large one alone, has been handed
  /// to the system.
  virtual void OnSend(std::size_t bytes);

  /// The peer closed its write side, and the session goes on (PeerClose::kKeepOpen).
  virtual void OnPeerClosed() {}

  /// It is over; the socket is closed. Once, the last hook.
  virtual void OnDisconnected(const CloseInfo& info);

  /// A copy of `bytes` that outlives the hook, for a job on another thread. On a worker's thread it
  /// is in memory of that worker, which needs no allocation once warm; elsewhere on the heap.
  /// Throws std::bad_alloc.
  static OwnedBytes Keep(std::span<const std::byte> bytes);

 private:
  friend class Connection;
  friend class SessionManager;
  friend class GroupCheck;  // a simulation's
  friend class PacketSession;

  // Null before the session begins. A factory may have shown the session to other threads by then.
  Connection* Begun() const noexcept { return begun_.load(std::memory_order_acquire); }

  std::atomic<bool> taken_{false};           // by the connection that is, or is being, made
  std::unique_ptr<Connection> connection_;   // made once, when the session begins
  std::atomic<Connection*> begun_{nullptr};  // the same, for all threads
  PacketSession* packets_ = nullptr;         // itself, if it is one
};

}  // namespace netcore
