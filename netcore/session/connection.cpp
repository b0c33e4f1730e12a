// The life of a connection on its worker, up to its end, which stands in connection_end.cpp. Its
// deadlines stand in connection_deadlines.cpp, what other threads may call in connection_verbs.cpp.
#include "netcore/session/connection.h"

#include <exception>
#include <new>
#include <span>
#include <utility>

#include "netcore/base/assert.h"
#include "netcore/session/packet_session.h"
#include "netcore/session/session_log_format.h"
#include "netcore/session/session_manager.h"

namespace netcore {
namespace {

CloseReason ReasonOf(const Error& error) noexcept {
  switch (error.Code()) {
    case ErrorCode::kConnectionReset:
    case ErrorCode::kConnectionAborted:
      return CloseReason::kPeerReset;
    case ErrorCode::kTimedOut:
    case ErrorCode::kHostUnreachable:
    case ErrorCode::kNetworkUnreachable:
      return CloseReason::kTimedOut;
    default:
      return CloseReason::kSystemError;
  }
}

}  // namespace

Connection::Connection(Session& session, std::shared_ptr<SessionContext> context, Worker& worker,
                       const Endpoint& peer)
    : session_(session),
      worker_(worker),
      inbox_(worker.GetInbox()),
      context_(std::move(context)),
      counters_(context_->Counters(worker.Index())),
      place_(context_->Manager()->Table(worker.Index()).Take()),
      peer_(peer) {}

Connection* Connection::Attach(const SessionRef& session, std::shared_ptr<SessionContext> context,
                               const Worker::Seat& seat, const Endpoint& peer,
                               std::string_view& why) {
  const SessionRef owner = session->weak_from_this().lock();
  if (owner == nullptr || owner.owner_before(session) || session.owner_before(owner)) {
    why =
        "is not owned by its std::shared_ptr (a second enable_shared_from_this among its bases, or "
        "an aliasing pointer)";
    return nullptr;
  }
  if (session->taken_.exchange(true, std::memory_order_acq_rel)) {
    why = "was used before";
    return nullptr;
  }
  try {
    session->connection_ =
        std::make_unique<Connection>(*session, std::move(context), seat.GetWorker(), peer);
  } catch (...) {
    session->taken_.store(false, std::memory_order_release);
    throw;
  }
  session->begun_.store(session->connection_.get(), std::memory_order_release);
  return session->connection_.get();
}

void Connection::Detach(Session& session) noexcept {
  session.begun_.store(nullptr, std::memory_order_release);
  session.connection_.reset();
  session.taken_.store(false, std::memory_order_release);
}

void Connection::Accept(const SessionFactory& factory, std::shared_ptr<SessionContext> context,
                        SessionContext::Ticket ticket, Worker::Seat seat, OwnedSocket socket,
                        const Endpoint& peer) noexcept {
  Worker& worker = seat.GetWorker();
  if (worker.IsStopping() || context->IsStopping()) return;
  SessionContext& shared = *context;
  const auto fail = [&](std::string_view what, std::string_view why = {}) {
    shared.Counters(worker.Index()).AddFactoryFailure();
    WriteLogLimited(shared.GetLog(), LogLevel::kError, shared.FactoryLogLimit(), worker.Now(),
                    "the session factory {}{}; the connection of {} was closed", what, why, peer);
  };
  SessionRef session;
  try {
    {
      const Worker::HookScope scope(worker, "the session factory", 0);
      session = factory();
    }
    if (session == nullptr) return fail("returned null");
    std::string_view why;
    Connection* connection = Attach(session, std::move(context), seat, peer, why);
    if (connection == nullptr) return fail("returned a session that ", why);
    connection->Settle(std::move(ticket), std::move(seat), std::move(socket));
    if (connection->phase_ == Phase::kConnecting) connection->Open();
  } catch (const std::exception& error) {
    fail("threw: ", error.what());
  } catch (...) {
    fail("threw what is no std::exception");
  }
}

void Connection::Connect(SessionContext::Ticket ticket, Worker::Seat seat, PortFactory& factory,
                         std::chrono::milliseconds timeout) noexcept {
  OwnedSocket socket;
  const Error error = factory.OpenSocket(peer_.GetFamily(), socket);
  Settle(std::move(ticket), std::move(seat), std::move(socket));
  if (error) return BeginEnd(CloseReason::kConnectFailed, Closing::kAbort, AtPeer(error));
  try {
    connect_event_ = std::make_unique<IocpEvent>(EventKind::kConnect, *this);
  } catch (const std::bad_alloc&) {
    BeginEnd(CloseReason::kSystemError, Closing::kAbort, ErrorCode::kNoBuffers);
  }
  if (phase_ != Phase::kConnecting) return;
  deadlines_.BeginConnect(worker_.Now(), timeout);
  SetTimer();
  if (phase_ != Phase::kConnecting) return;
  ++pending_;
  worker_.Port().SubmitConnect(*socket_, peer_, *connect_event_);
}

void Connection::Abandon() noexcept {
  phase_ = Phase::kClosed;
  place_.Leave();
  state_.store(State::kClosed, std::memory_order_release);
  close_info_.reason = CloseReason::kServiceStopping;
  TellDisconnected();
}

// Moves in. Without memory for the socket it begins to move out.
void Connection::Settle(SessionContext::Ticket ticket, Worker::Seat seat,
                        OwnedSocket socket) noexcept {
  ticket_ = std::move(ticket);
  seat_ = std::move(seat);
  self_ = KeepSession();
  worker_.Add(*this);
  if (!socket) return;
  try {
    socket_ = worker_.Port().Adopt(std::move(socket), context_->Options().socket);
  } catch (const std::bad_alloc&) {
    BeginEnd(CloseReason::kSystemError, Closing::kAbort, ErrorCode::kNoBuffers);
  }
}

void Connection::Open() noexcept {
  State expected = State::kConnecting;
  if (!state_.compare_exchange_strong(expected, State::kConnected, std::memory_order_acq_rel)) {
    return;  // another thread gave the connect up; its mail is on the way
  }
  local_ = worker_.Port().LocalEndpoint(*socket_);
  has_local_.store(true, std::memory_order_release);
  phase_ = Phase::kOpen;
  opened_ = true;
  place_.Show(session_);
  deadlines_.Open(worker_.Now(), session_.packets_ != nullptr
                                     ? context_->Options().first_packet_timeout
                                     : std::chrono::milliseconds::zero());
  context_->SessionOpened();
  counters_.AddOpened();
  LogBegan();
  CallHook("OnConnected", [this] { session_.OnConnected(); });
  broadcasts_before_ = Manager()->BroadcastsToAll();
  if (phase_ != Phase::kOpen) return;
  SetTimer();
  if (phase_ == Phase::kOpen && !paused_ && !recv_pending_) SubmitRecv();
  if (fin_asked_) SendFin();  // while the connect was under way
}

void Connection::Dispatch(IocpEvent& event, IoResult& result) noexcept {
  if (result.more) return ProcessRecv(result);  // only a recv goes on
  switch (event.Kind()) {
    case EventKind::kConnect:
      ProcessConnect(result);
      break;
    case EventKind::kRecv:
      recv_pending_ = false;
      ProcessRecv(result);
      break;
    case EventKind::kSend:
      send_pending_ = false;
      ProcessSend(result);
      break;
    case EventKind::kAccept:
      NETCORE_ASSERT(false);  // a connection accepts nothing
  }
  if (FinishOne()) Close();
}

void Connection::ProcessConnect(IoResult& result) noexcept {
  if (phase_ != Phase::kConnecting) return;
  if (!result.error) return Open();
  BeginEnd(
      result.error == ErrorCode::kTimedOut ? CloseReason::kTimedOut : CloseReason::kConnectFailed,
      Closing::kAbort, AtPeer(result.error));
}

void Connection::ProcessRecv(IoResult& result) noexcept {
  if (phase_ >= Phase::kDraining) return;
  if (result.error) return BeginEnd(ReasonOf(result.error), Closing::kAbort, result.error);
  if (HasIdleTimeout()) deadlines_.Received(worker_.Now());
  deadlines_.Looked();
  if (!result.data.empty()) {
    counters_.AddReceived(result.data.size());
    bytes_received_ += result.data.size();
    if (phase_ == Phase::kOpen && state_.load(std::memory_order_relaxed) == State::kConnected) {
      sends_since_recv_ = 0;
      in_recv_hook_ = true;
      CallHook(session_.packets_ != nullptr ? "OnPacket" : "OnRecv",
               [&] { session_.OnRecv(result.data); });
      in_recv_hook_ = false;
      answers_once_ = sends_since_recv_ == 1;
      TellSentAtOnce();
    }
    return;
  }
  if (result.more) return;
  peer_closed_ = true;
  if (phase_ != Phase::kOpen) return ContinueEnd();
  if (end_in_mail_) return;
  if (deadlines_.IsInMessage()) return EndBehindMail(CloseReason::kTruncated);
  if (fin_sent_ || context_->Options().on_peer_close == PeerClose::kCloseAfterFlush) {
    return EndBehindMail(CloseReason::kPeerClosed);
  }
  CallHook("OnPeerClosed", [this] { session_.OnPeerClosed(); });
}

void Connection::ProcessSend(IoResult& result) noexcept {
  queue_.Consume(result.bytes, worker_.Buffers());
  queue_memory_.store(queue_.Memory(), std::memory_order_relaxed);
  Uncount(result.bytes);
  counters_.AddSent(result.bytes);
  bytes_sent_ += result.bytes;
  if (phase_ >= Phase::kDraining) return;
  if (result.error) return BeginEnd(ReasonOf(result.error), Closing::kAbort, result.error);
  TellSent(result.bytes);
  if (!queue_.Empty()) worker_.FlushLater(*this);
}

// To the session, and then to whatever waited for that.
void Connection::TellSent(std::size_t bytes) noexcept {
  CallHook("OnSend", [&] { session_.OnSend(bytes); });
  if (fin_asked_) SendFin();
  if (phase_ == Phase::kFlushing) ContinueEnd();
}

void Connection::Queue(SendBufferRef buffer) {
  if (!CanQueue()) return;
  queue_.Push(std::move(buffer), worker_.Buffers());
  Queued();
}

void Connection::QueueCopy(std::span<const std::byte> head, std::span<const std::byte> body) {
  if (!CanQueue()) return;
  queue_.Copy(head, body, worker_.Buffers());
  Queued();
}

void Connection::Queued() noexcept {
  queue_memory_.store(queue_.Memory(), std::memory_order_relaxed);
  if (!worker_.IsInHookOf(Id().value)) worker_.FlushLessOften();
  if (!send_pending_) worker_.FlushLater(*this);
}

// How many of the first `bytes` have left already. The session is told right behind its recv's
// hook, while it is still in the processor's cache; elsewhere with the flush.
std::size_t Connection::SendAtOnce(std::span<const std::byte> bytes) noexcept {
  if (IsSending() || !queue_.Empty() || inbox_->HasMail()) return 0;
  if (phase_ != Phase::kOpen || fin_sent_) return 0;
  if (bytes.empty() || bytes.size() > SendQueueLimit()) return 0;
  const std::size_t sent = worker_.Port().SendAtOnce(*socket_, bytes);
  if (sent == 0) return 0;
  sent_at_once_ = sent;
  counters_.AddSent(sent);
  bytes_sent_ += sent;
  if (!in_recv_hook_) worker_.FlushLater(*this);
  return sent;
}

void Connection::TellSentAtOnce() noexcept {
  const std::size_t sent = std::exchange(sent_at_once_, 0);
  if (sent > 0 && phase_ < Phase::kDraining) TellSent(sent);
}

void Connection::Flush() noexcept {
  TellSentAtOnce();
  if (send_pending_ || queue_.Empty()) return;
  if (phase_ != Phase::kOpen && phase_ != Phase::kFlushing) return;
  const std::span<SendSlice> slices = worker_.Slices();
  const std::size_t count = queue_.Gather(slices);
  worker_.Port().SubmitSend(*socket_, slices.first(count), send_event_);
  deadlines_.BeginSend(worker_.Now(), context_->Options().send_stall_timeout);
  send_pending_ = true;
  ++pending_;
  SetTimer();
}

// Half-closes as soon as nothing waits any more. An end of both halves is an end.
void Connection::SendFin() noexcept {
  if (phase_ != Phase::kOpen || fin_sent_ || IsSending() || !queue_.Empty()) return;
  fin_sent_ = true;
  worker_.Port().ShutdownSend(*socket_);
  if (peer_closed_) BeginEnd(CloseReason::kPeerClosed, Closing::kGraceful);
}

void Connection::SubmitRecv() noexcept {
  recv_pending_ = true;
  ++pending_;
  worker_.Port().SubmitRecv(*socket_, recv_event_);
}

void Connection::ContinueRecv() noexcept {
  if (recv_pending_) {
    worker_.Port().ResumeRecv(*socket_, recv_event_);
  } else if (!peer_closed_) {
    SubmitRecv();
  }
}

void Connection::SetPaused(bool paused) noexcept {
  if (phase_ > Phase::kOpen || paused == paused_) return;
  paused_ = paused;
  if (paused) deadlines_.Pause(worker_.Now());
  if (phase_ != Phase::kOpen) return;
  if (paused) {
    if (recv_pending_) worker_.Port().PauseRecv(*socket_, recv_event_);
    return;
  }
  deadlines_.Resume(worker_.Now());
  if (session_.packets_ != nullptr && session_.packets_->IsHolding()) {
    DeliverHeldLater();
  } else {
    ContinueRecv();
  }
  SetTimer();
}

// No hook runs inside a verb. Until then the recv stays paused, so that nothing new comes first.
void Connection::DeliverHeldLater() noexcept {
  if (std::exchange(held_in_mail_, true)) return;
  ++pending_;
  PushLater();
}

void Connection::DeliverHeld() noexcept {
  if (phase_ != Phase::kOpen || paused_) return;
  if (state_.load(std::memory_order_relaxed) != State::kConnected) return;
  CallHook("OnPacket", [this] { session_.packets_->DeliverHeld(); });
  if (phase_ == Phase::kOpen && !paused_) ContinueRecv();
}

void Connection::EndForMemory() noexcept {
  BeginEnd(CloseReason::kSystemError, Closing::kAbort, ErrorCode::kNoBuffers);
}

// False if it threw.
template <typename Hook>
bool Connection::RunHook(const char* name, Hook&& hook) noexcept {
  const Worker::HookScope scope(worker_, name, Id().value);
  try {
    hook();
    return true;
  } catch (const std::exception& error) {
    LogThrown(name, error.what());
  } catch (...) {
    LogThrown(name, nullptr);
  }
  return false;
}

template <typename Hook>
void Connection::CallHook(const char* name, Hook&& hook) noexcept {
  if (!RunHook(name, std::forward<Hook>(hook))) {
    BeginEnd(CloseReason::kHookThrew, Closing::kAbort);
  }
}

void Connection::TellDisconnected() noexcept {
  counters_.AddEnded(close_info_.reason);
  LogEnded();
  RunHook("OnDisconnected", [this] { session_.OnDisconnected(close_info_); });
}

void Connection::RunPosted(Task& task) noexcept {
  if (phase_ == Phase::kClosed) return;
  CallHook("a posted task", [&] { task(); });
}

}  // namespace netcore
