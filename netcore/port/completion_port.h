// CompletionPort: the seam. What netcore asks of an operating system, in the words of an I/O
// completion port; IOCP, io_uring, epoll and an in-memory port stand behind it, and one contract
// suite (tests/port) holds for all of them. Knows sockets, events and time; knows no session, no
// service, no thread but its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "netcore/base/clock.h"
#include "netcore/base/endpoint.h"
#include "netcore/base/error.h"
#include "netcore/buffer/send_buffer.h"
#include "netcore/port/io_result.h"
#include "netcore/port/iocp_event.h"
#include "netcore/port/iocp_object.h"

namespace netcore {

/// How a port names a socket that it has adopted. Owned by the port; the pointer is good until
/// Close.
struct PortSocket {};

/// What is set on a connection when a port adopts it. 0 leaves the system's default.
struct SocketOptions {
  bool no_delay = true;       // TCP_NODELAY
  int send_buffer_bytes = 0;  // SO_SNDBUF
  int recv_buffer_bytes = 0;  // SO_RCVBUF
};

enum class CloseMode : std::uint8_t {
  kGraceful,  // what the system still holds is sent, then FIN, also if received bytes lie unread
  kAbort,     // linger 0: what the system still holds is dropped, the peer sees RST
};

using SendSlice = std::span<const std::byte>;

/// One completion port, served by one thread.
///
/// The rules, each with its test in the contract suite:
/// 1. A submit throws nothing and returns nothing. Every failure, memory too, arrives as a
///    completion.
/// 2. One submit, exactly one final completion, cancelled or not. A recv stream completes many
///    times and says on the last one that it is the last (IoResult::more is false). An accept may
///    complete many times with kConnectionAborted before its final completion.
/// 3. No completion runs inside a submit, a cancel or a resume. All run inside Dispatch or
///    HandOutReady, on its thread.
/// 4. An event, its owner and the bytes it points to stay until its final completion. A recv brings
///    no buffer: the port lends one for as long as the handler runs, and re-arms by itself.
/// 5. The port hides what differs between systems: see each verb.
/// 6. All verbs but Wake belong to the port's own thread.
/// 7. A paused recv disturbs no send. What arrives all the same is kept, bounded, and delivered
///    after the resume.
///
/// Lifetime: destroyed on its own thread (or on any, if none was attached), with no event pending;
/// sockets that are still open are then closed with a reset.
class CompletionPort {
 public:
  /// One send carries at most this much, so that its progress can be watched.
  static constexpr std::size_t kMaxSendBytes = 64 * 1024;
  static constexpr std::size_t kMaxSendSlices = 64;

  /// One completion of a recv stream lends at most this much.
  static constexpr std::size_t kMaxRecvBytes = 64 * 1024;

  /// A Dispatch that hands out fewer has taken all that it found; one that hands out more may have
  /// left some for the next.
  static constexpr std::size_t kFullDispatch = 32;

  CompletionPort() = default;
  CompletionPort(const CompletionPort&) = delete;
  CompletionPort& operator=(const CompletionPort&) = delete;
  virtual ~CompletionPort() = default;

  /// Makes the calling thread the port's own. Once, before all else but Wake.
  [[nodiscard]] virtual Error AttachThread() = 0;

  /// The time that deadlines are measured in.
  virtual TimePoint Now() const noexcept = 0;

  /// True: `time` has not come, and that is known without a look at the clock, which costs as much
  /// as a hundred instructions: a timer of the port's own is set for then, or for earlier, and the
  /// last Dispatch did not find that it had gone off. False says nothing.
  virtual bool IsKnownBefore(TimePoint time) const noexcept { return time == kNever; }

  /// Takes over a socket that PortFactory opened or that an accept brought, and sets `options` on
  /// it. A system that refuses makes the first submit on the socket fail. Throws std::bad_alloc;
  /// `socket` is then still the caller's.
  virtual PortSocket* Adopt(OwnedSocket&& socket, const SocketOptions& options) = 0;

  /// The socket's own address; none if the system does not tell.
  virtual Endpoint LocalEndpoint(const PortSocket& socket) const = 0;

  /// Accepts ONE connection from a listening socket; keep several events posted to accept in
  /// parallel (on Windows each is an AcceptEx; elsewhere they are how many connections may be taken
  /// before their owner is asked again). Completes with the socket and its peer, or with an error:
  /// - kConnectionAborted: the peer was gone before its connection was accepted, or the network
  ///   reported an error of that connection. Says nothing about the listener. With `more` the
  ///   accept is still posted; without, post it again at once. Some systems hand out such a
  ///   connection as an accepted one instead, whose recv stream then ends with a reset.
  /// - kTooManyFiles, kNoBuffers, kAccessDenied: the system lacks a resource, or does not permit
  /// the
  ///   accept. The connection is still in the backlog: post again after a while, not at once.
  /// - anything else: an error of the listening socket that no system documents.
  virtual void SubmitAccept(PortSocket& listener, IocpEvent& event) noexcept = 0;

  /// Connects a socket of PortFactory::OpenSocket. Has no time-out of its own but the system's:
  /// Cancel it.
  virtual void SubmitConnect(PortSocket& socket, const Endpoint& peer,
                             IocpEvent& event) noexcept = 0;

  /// Starts the recv stream: a completion with `data` and `more` for what arrives, one final
  /// completion at the end of the stream (no data, no error), at an error, or when cancelled. At
  /// most one a socket.
  virtual void SubmitRecv(PortSocket& socket, IocpEvent& event) noexcept = 0;

  /// Stops the pending recv stream's completions until ResumeRecv, without ending it. Not even the
  /// end of the stream or a reset is reported meanwhile; a final completion is, if the event is
  /// cancelled. Does nothing when it is paused already. From inside the stream's own completion,
  /// too: none follows.
  virtual void PauseRecv(PortSocket& socket, IocpEvent& event) noexcept = 0;

  /// Goes on where PauseRecv stopped. Does nothing when it is not paused.
  virtual void ResumeRecv(PortSocket& socket, IocpEvent& event) noexcept = 0;

  /// Sends the bytes of all `slices` in order: at least one byte, at most kMaxSendBytes in
  /// kMaxSendSlices. At most one send a socket is pending. The array of slices is the caller's
  /// again on return; the bytes stay until the completion. Completes when all bytes are with the
  /// system, or with an error, and says how many are.
  virtual void SubmitSend(PortSocket& socket, std::span<const SendSlice> slices,
                          IocpEvent& event) noexcept = 0;

  /// Sends what the system takes of `bytes` right now, copying nothing, with no send pending:
  /// returns how many those are, and that is all; nothing completes. `bytes` are the caller's again
  /// on return, and what did not leave is for a later send. 0: nothing left; SubmitSend finds out
  /// why.
  ///
  /// From Dispatch to here the way is kept short, in calls: behind a system call the processor does
  /// not foresee where a return leads, and each costs 26 cycles instead of 2 (docs/benchmarks.md).
  virtual std::size_t SendAtOnce([[maybe_unused]] PortSocket& socket,
                                 [[maybe_unused]] std::span<const std::byte> bytes) noexcept {
    return 0;
  }

  /// From how many bytes on SendAtOnce is worth a call of its own: what is not copied saves more
  /// than what could be joined with other sends. The same for a port's whole life.
  virtual std::size_t AtOnceFrom() const noexcept { return SIZE_MAX; }

  /// Inside the handler of a recv: takes `bytes`, of those that it was lent, out of the loan, for a
  /// send. They stay until the last reference is gone, which is before the port is, on its thread;
  /// nobody writes to them. Null where the port can't lend them for so long, or would gain nothing.
  virtual SendBufferRef KeepReceived([[maybe_unused]] std::span<std::byte> bytes) noexcept {
    return {};
  }

  /// True in a handler that is the only one, as far as is known yet, to be called before the next
  /// wait: what it sends finds no other to share a system call with. False where that gains
  /// nothing.
  virtual bool IsAlone() const noexcept { return false; }

  /// Sends FIN behind what was sent; the recv stream goes on. With no send pending. Failures show
  /// on the recv stream.
  virtual void ShutdownSend(PortSocket& socket) noexcept = 0;

  /// True when the system, or the port, has something for a pending event that no completion has
  /// told yet: for a recv bytes, the end of the stream or an error, paused or not; for a send room,
  /// or its completion; for a connect its outcome; for an accept a connection. Says nothing of
  /// other sockets, however many completions of theirs wait. A system call: for deadlines.
  virtual bool HasNews(IocpEvent& event) noexcept = 0;

  /// Asks for the end of one pending event. It still completes, with kCancelled, or as it would
  /// have if that came first. A cancelled send may have sent some of its bytes. Disturbs no other
  /// event of the socket. Does nothing to an event that is not pending.
  virtual void Cancel(IocpEvent& event) noexcept = 0;

  /// Closes the socket at once. With no event pending on it.
  virtual void Close(PortSocket& socket, CloseMode mode) noexcept = 0;

  /// Makes the Dispatch that runs, or the next one, return without waiting. Threads: any, while the
  /// port exists.
  virtual void Wake() noexcept = 0;

  /// Hands completions to their owners. Waits until `deadline` for the first of them (not at all
  /// if that has passed; kNever: for ever), and takes what else is ready, within a bound. Returns
  /// how many it handed out. It may return early with none.
  virtual std::size_t DispatchUntil(TimePoint deadline) noexcept = 0;

  /// Hands completions to their owners, as DispatchUntil does. Waits for `timeout` at most: not at
  /// all if it is zero or negative, for ever if it is kForever.
  template <typename Rep, typename Period>
  std::size_t Dispatch(std::chrono::duration<Rep, Period> timeout) noexcept {
    return DispatchUntil(DeadlineIn(timeout));
  }

  /// Returns the deadline of a wait that begins now and lasts for `timeout`: kNoWait if that is
  /// zero or negative, kNever if it is kForever. The clock is read only where it matters.
  template <typename Rep, typename Period>
  TimePoint DeadlineIn(std::chrono::duration<Rep, Period> timeout) const noexcept {
    const Duration wait = ToDuration(timeout);
    if (wait <= Duration::zero()) return kNoWait;
    return wait == Duration::max() ? kNever : Later(Now(), wait);
  }

  /// Hands out the completions that are known without asking the system, such as those of sends
  /// that were done as they were submitted. Returns how many; a port that knows of none beforehand
  /// says 0.
  virtual std::size_t HandOutReady() noexcept { return 0; }

 protected:
  /// For ports: an event's record, of the port's own type, made at the submit ...
  template <typename Record, typename... Args>
  static Record& BeginEvent(IocpEvent& event, Args&&... args) noexcept {
    static_assert(sizeof(Record) <= IocpEvent::kRecordSize &&
                  alignof(Record) <= alignof(std::max_align_t));
    event.pending_ = true;
    return *::new (static_cast<void*>(event.record_)) Record{std::forward<Args>(args)...};
  }

  /// ... while it is pending ...
  template <typename Record>
  static Record& RecordOf(IocpEvent& event) noexcept {
    return *std::launder(reinterpret_cast<Record*>(event.record_));
  }

  /// ... and gone before the owner hears of the final completion.
  template <typename Record>
  static void CompleteEvent(IocpEvent& event, IoResult& result) noexcept {
    if (!result.more) {
      std::destroy_at(&RecordOf<Record>(event));
      event.pending_ = false;
    }
    event.Owner().Dispatch(event, result);
  }
};

}  // namespace netcore
