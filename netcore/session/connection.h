// Connection: the machinery behind one Session: its pending operations, its queue, its deadlines,
// its one path to death. Knows its worker and its context; knows no service and no core.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "netcore/base/clock.h"
#include "netcore/base/endpoint.h"
#include "netcore/base/timer_queue.h"
#include "netcore/core/resident.h"
#include "netcore/core/worker.h"
#include "netcore/port/completion_port.h"
#include "netcore/port/port_factory.h"
#include "netcore/session/deadlines.h"
#include "netcore/session/group.h"
#include "netcore/session/send_queue.h"
#include "netcore/session/session.h"
#include "netcore/session/session_context.h"
#include "netcore/session/session_table.h"

namespace netcore {

///     kConnecting ----> kOpen ----> kFlushing ----> kLingering ----> kDraining ----> kClosed
///          |              |     Disconnect      all sent,     the peer's FIN,    last
///          |              |     kGraceful       FIN sent      or the deadline    completion
///          +--------------+-----------------------------------------^
///              a fault, a failed connect, kAbort: all is cancelled
///
/// Every pending operation counts one in pending_; so does being before kDraining, and so does a
/// hook that runs: who takes it to zero ends the session, so no completion finds it freed, and a
/// paused session ends too.
///
/// Owns: the socket, the queue. Lifetime: its session's; keeps that alive from Accept or Connect to
/// OnDisconnected. Threads: the worker's own, but for what says otherwise.
class Connection final : public Resident, public Timer {
 public:
  /// Makes a session for an accepted socket and begins it. What fails is logged and counted in the
  /// context.
  static void Accept(const SessionFactory& factory, std::shared_ptr<SessionContext> context,
                     SessionContext::Ticket ticket, Worker::Seat seat, OwnedSocket socket,
                     const Endpoint& peer) noexcept;

  /// Gives `session` its one connection, to be begun on the worker that `seat` is on. Null if it
  /// already had one, or if `session` is not what owns it; `why` then reads "was used before". This
  /// is the one way in, so from here on the session can be kept by KeepSession until its last
  /// reference goes. Throws std::bad_alloc; the session is then as it was. Threads: any.
  static Connection* Attach(const SessionRef& session, std::shared_ptr<SessionContext> context,
                            const Worker::Seat& seat, const Endpoint& peer, std::string_view& why);

  /// Takes it away again, before anybody was told of it.
  static void Detach(Session& session) noexcept;

  /// Begins to connect. Every failure arrives as OnDisconnected.
  void Connect(SessionContext::Ticket ticket, Worker::Seat seat, PortFactory& factory,
               std::chrono::milliseconds timeout) noexcept;

  /// True when a stop came before the connect could begin: it would find nobody to tell later.
  bool IsTooLate() const noexcept { return worker_.IsStopping() || context_->IsStopping(); }

  /// Instead of Connect, when it is too late: OnDisconnected, on the calling thread.
  void Abandon() noexcept;

  Connection(Session& session, std::shared_ptr<SessionContext> context, Worker& worker,
             const Endpoint& peer);
  ~Connection() = default;

  // The session's verbs. Threads: any.
  SendResult Send(std::span<const std::byte> bytes) noexcept;
  SendResult Send(std::span<const std::byte> head, std::span<const std::byte> body) noexcept;
  SendResult SendReceived(std::span<std::byte> bytes) noexcept;
  SendResult Send(SendBufferRef buffer) noexcept;
  void Disconnect(CloseReason reason, Closing closing) noexcept;
  void ShutdownSend() noexcept;
  void AskPaused(bool paused) noexcept;
  bool Post(Task task);

  // As SessionManager's. Threads: any.
  bool Join(GroupId group) noexcept;
  void Leave(GroupId group) noexcept;
  void LeaveAll() noexcept;

  /// A broadcast has reached the session's worker. Calls no hook, closes nobody, and leaves the
  /// groups as they are. Threads: the worker's.
  void QueueBroadcast(const SendBufferRef& buffer) noexcept;

  /// What is queued in this round leaves before that of others whose first is queued later.
  /// Threads: the worker's.
  void FlushSoon() noexcept {
    if (!send_pending_) worker_.FlushLater(*this);
  }

  /// Whether the broadcast to all of that number was called after OnConnected: one that was called
  /// before may still be on its way. Threads: the worker's.
  bool Hears(std::uint64_t broadcast_to_all) const noexcept {
    return broadcast_to_all > broadcasts_before_;
  }

  /// The groups that it is in. Threads: the worker's.
  const Membership* FirstMembership() const noexcept { return memberships_.get(); }
  // What a PacketSession tells and asks while it delivers. Threads: the session's own.
  bool IsPaused() const noexcept { return paused_; }
  /// A packet was begun that is not whole; or it goes on.
  void PacketBegan() noexcept;
  /// A packet has come whole.
  void PacketEnded() noexcept;
  /// No memory for a packet: the session ends.
  void EndForMemory() noexcept;

  /// 0 once closed: who counts then, or takes back what was counted, is too late to be told of.
  std::size_t QueuedBytes() const noexcept {
    if (state_.load(std::memory_order_acquire) == State::kClosed) return 0;
    return queued_bytes_.load(std::memory_order_relaxed);
  }
  bool IsConnected() const noexcept {
    return state_.load(std::memory_order_acquire) == State::kConnected;
  }
  SessionId Id() const noexcept { return place_.Id(); }
  const std::shared_ptr<SessionManager>& Manager() const noexcept { return context_->Manager(); }
  const Endpoint& Peer() const noexcept { return peer_; }
  Endpoint Local() const noexcept { return IsBegun() ? local_ : Endpoint(); }

 private:
  // What other threads see. kDisconnecting from the first Disconnect on, before the worker hears of
  // it.
  enum class State : std::uint8_t { kConnecting, kConnected, kDisconnecting, kClosed };

  // Where the worker is with it.
  enum class Phase : std::uint8_t { kConnecting, kOpen, kFlushing, kLingering, kDraining, kClosed };

  // Embedded, so that an end never needs memory.
  class EndMail final : public Mail {
   public:
    explicit EndMail(Connection& connection) noexcept : connection_(connection) {}
    void Send(Inbox& inbox, CloseReason reason, Closing closing) noexcept;
    void Deliver() noexcept override;
    void Discard() noexcept override;

   private:
    Connection& connection_;
    CloseReason reason_ = CloseReason::kLocal;
    Closing closing_ = Closing::kGraceful;
    SessionRef keep_;  // while it is in the mailbox
  };

  // A join on its way to the worker. What is last here goes first: a membership needs the manager,
  // which the session keeps.
  struct PendingJoin {
    void operator()() { static_cast<void>(keep->Begun()->EnterGroup(std::move(membership))); }

    SessionRef keep;
    std::unique_ptr<Membership> membership;
  };

  // To deliver what a pause held back, or to close: never both at once, for the former counts as
  // pending.
  class LaterMail final : public Mail {
   public:
    explicit LaterMail(Connection& connection) noexcept : connection_(connection) {}
    void Deliver() noexcept override { connection_.RunLater(); }
    void Discard() noexcept override {}

   private:
    Connection& connection_;
  };

  void Dispatch(IocpEvent& event, IoResult& result) noexcept override;
  void Flush() noexcept override;
  void OnStop(const void* group, TimePoint deadline) noexcept override;
  void OnTimer(TimePoint now) noexcept override;

  // Null only when the last reference is gone: in the session's destructor, long after its end.
  SessionRef KeepSession() const noexcept { return session_.weak_from_this().lock(); }

  bool IsBegun() const noexcept { return has_local_.load(std::memory_order_acquire); }
  void Settle(SessionContext::Ticket ticket, Worker::Seat seat, OwnedSocket socket) noexcept;
  void Open() noexcept;
  void ProcessConnect(IoResult& result) noexcept;
  void ProcessRecv(IoResult& result) noexcept;
  void ProcessSend(IoResult& result) noexcept;
  void TellSent(std::size_t bytes) noexcept;
  void TellSentAtOnce() noexcept;

  bool IsOwnThread() const noexcept { return Worker::Current() == &worker_; }
  bool TakesSends() const noexcept {
    return IsConnected() && !send_shut_.load(std::memory_order_acquire);
  }
  std::size_t SendQueueLimit() const noexcept {
    const std::size_t limit = context_->Options().max_send_queue_bytes;
    return limit > 0 ? limit : SIZE_MAX;
  }
  bool TryCount(std::size_t bytes) noexcept;
  void Uncount(std::size_t bytes) noexcept {
    queued_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  }
  // What a send in the mail takes beside its bytes: the mail's node, the buffer's header, and what
  // the heap adds to both.
  static constexpr std::size_t kMailNode = 192;
  bool HasMemoryLeft(std::size_t limit) const noexcept {
    return limit == SIZE_MAX || queue_memory_.load(std::memory_order_relaxed) +
                                        mail_memory_.load(std::memory_order_relaxed) <=
                                    limit + SendQueue::kLargestBlock;
  }
  template <typename QueueNow, typename MakeBuffer>
  SendResult Enqueue(std::size_t size, QueueNow&& queue_now, MakeBuffer&& make_buffer) noexcept;
  bool IsSending() const noexcept { return send_pending_ || sent_at_once_ > 0; }
  // True for what gains nothing by a copy and a wait for its flush: a large answer, or one that no
  // other will share its system call with. That it stays the only one of its hook is a guess: the
  // last hook's did. (Behind that hook's answer, whoever sends is not the first one.)
  bool GainsByLeaving(std::size_t bytes) const noexcept {
    if (bytes >= worker_.AtOnceFrom()) return true;
    return answers_once_ && sends_since_recv_ == 0 && worker_.Port().IsAlone();
  }
  template <typename QueueRest>
  SendResult SendOrEnqueue(std::span<const std::byte> bytes, QueueRest&& queue_rest) noexcept;
  template <typename QueueNow>
  void KeepRest(std::size_t size, QueueNow&& queue_now) noexcept;
  std::size_t SendAtOnce(std::span<const std::byte> bytes) noexcept;
  bool CanQueue() const noexcept {
    return (phase_ == Phase::kOpen || phase_ == Phase::kFlushing) && !fin_sent_;
  }
  void Queue(SendBufferRef buffer);
  void QueueCopy(std::span<const std::byte> head, std::span<const std::byte> body);
  void Queued() noexcept;
  void RunQueued(const SendBufferRef& buffer) noexcept;
  void Ask(EndMail& mail, CloseReason reason, Closing closing) noexcept;
  void ChangePaused(bool paused) noexcept;
  void SetPaused(bool paused) noexcept;
  template <typename Action>
  void PushAction(Action action) noexcept;
  void SendFin() noexcept;
  void RunPosted(Task& task) noexcept;
  bool EnterGroup(std::unique_ptr<Membership> membership) noexcept;
  void ExitGroup(GroupId group) noexcept;
  void ExitGroups() noexcept;

  void EndBehindMail(CloseReason reason) noexcept;
  void BeginEnd(CloseReason reason, Closing closing, const Error& error = {}) noexcept;
  void ContinueEnd() noexcept;
  void Drain(bool abort) noexcept;
  bool FinishOne() noexcept { return --pending_ == 0; }
  void FinishOneLater() noexcept;
  void PushLater() noexcept;
  void RunLater() noexcept;
  void Close() noexcept;
  void TellDisconnected() noexcept;
  void LogBegan() noexcept;
  void LogEnded() noexcept;
  void LogThrown(const char* hook, const char* what) noexcept;

  void SubmitRecv() noexcept;
  void ContinueRecv() noexcept;
  void DeliverHeldLater() noexcept;
  void DeliverHeld() noexcept;
  bool CountsRecvTime() const noexcept {
    return phase_ == Phase::kOpen && !paused_ && !peer_closed_;
  }
  // Else nobody asks when the last recv was.
  bool HasIdleTimeout() const noexcept {
    return context_->Options().idle_timeout > std::chrono::milliseconds::zero();
  }
  Awaited GetAwaited() const noexcept { return {.bytes = CountsRecvTime(), .room = send_pending_}; }
  void SetTimer() noexcept { SetTimer(deadlines_.Next(context_->Options(), GetAwaited())); }
  void SetTimer(TimePoint deadline) noexcept;
  bool HasNewsOf(Deadlines::Kind due) noexcept;
  void Expire(Deadlines::Kind due) noexcept;
  Error AtPeer(const Error& error) const noexcept;  // of a connect
  template <typename Hook>
  bool RunHook(const char* name, Hook&& hook) noexcept;
  template <typename Hook>
  void CallHook(const char* name, Hook&& hook) noexcept;

  // What each message needs comes first: see IocpObject::kPrefetchedSize.
  Session& session_;
  Worker& worker_;  // the own thread's, until kClosed; other threads compare its address
  const std::shared_ptr<Inbox> inbox_;
  const std::shared_ptr<SessionContext> context_;
  WorkerCounters& counters_;  // the context's, of this worker

  std::atomic<State> state_{State::kConnecting};
  std::atomic<bool> abort_asked_{false};
  std::atomic<bool> send_shut_{false};        // ShutdownSend was called
  std::atomic<bool> has_local_{false};        // local_ is there and stays
  std::atomic<std::size_t> queued_bytes_{0};  // what Send took and the system has not
  std::atomic<std::size_t> queue_memory_{0};  // as the queue's Memory
  std::atomic<std::size_t> mail_memory_{0};   // of sends that are in the mail

  // The worker's from here on.
  Phase phase_ = Phase::kConnecting;
  bool paused_ = false;
  bool held_in_mail_ = false;  // later_mail_ is on its way to deliver what was held back
  bool peer_closed_ = false;
  bool end_in_mail_ = false;  // an end was asked for here, behind what hooks sent before
  bool fin_asked_ = false;
  bool fin_sent_ = false;
  bool broadcast_missed_ = false;  // it was ending; what comes by mail behind that is missed too
  bool send_pending_ = false;
  bool in_recv_hook_ = false;
  bool answers_once_ = false;  // the last recv's hook sent exactly once
  bool recv_pending_ = false;
  bool abort_ = false;
  bool opened_ = false;                 // OnConnected was called
  int pending_ = 1;                     // see above
  std::uint32_t sends_since_recv_ = 0;  // from the own thread, since the last recv's hook began
  std::size_t sent_at_once_ = 0;        // and OnSend was not called for it yet
  std::uint64_t bytes_received_ = 0;    // for the log, as the next one
  std::uint64_t bytes_sent_ = 0;        // what the system took
  PortSocket* socket_ = nullptr;
  SendQueue queue_;
  Deadlines deadlines_;
  SessionTable::Place place_;  // the id, which all threads may read
  IocpEvent recv_event_{EventKind::kRecv, *this};
  IocpEvent send_event_{EventKind::kSend, *this};

  // What few messages need, or none.
  const Endpoint peer_;  // all threads may read it
  Endpoint local_;
  LaterMail later_mail_{*this};
  EndMail end_mail_{*this};
  EndMail abort_mail_{*this};
  SessionRef self_;
  SessionContext::Ticket ticket_;
  Worker::Seat seat_;
  CloseInfo close_info_;
  TimePoint began_ = {};                // for the log
  std::size_t own_pauses_in_mail_ = 0;  // of the own thread; older mail has no say meanwhile
  std::unique_ptr<IocpEvent> connect_event_;
  std::unique_ptr<Membership> memberships_;  // linked through next_of_member
  std::uint64_t broadcasts_before_ = UINT64_MAX;
};

}  // namespace netcore
