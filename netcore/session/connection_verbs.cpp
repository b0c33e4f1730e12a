// What any thread may call on a connection. On the worker's own thread it is done at once;
// otherwise, and behind mail that waits, it goes through the inbox, so that all of it happens in
// the order in which it was called.
#include <algorithm>
#include <new>
#include <utility>

#include "netcore/session/connection.h"
#include "netcore/session/session_manager.h"

namespace netcore {

// Counts bytes in, if they fit. What is taken is held against the bound twice: its bytes, and the
// memory that it will take, of which one last block may go beyond.
bool Connection::TryCount(std::size_t bytes) noexcept {
  const std::size_t limit = SendQueueLimit();
  const std::size_t before = queued_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  if (bytes <= limit && before <= limit - bytes && HasMemoryLeft(limit)) return true;
  Uncount(bytes);
  return false;
}

// On the worker's own thread, with no mail before it, `queue_now` puts the bytes into the queue;
// otherwise `make_buffer` makes what goes by mail.
template <typename QueueNow, typename MakeBuffer>
SendResult Connection::Enqueue(std::size_t size, QueueNow&& queue_now,
                               MakeBuffer&& make_buffer) noexcept {
  if (!TakesSends()) return SendResult::kClosing;
  if (size == 0) return SendResult::kQueued;
  if (!TryCount(size)) {
    Disconnect(CloseReason::kSendQueueFull, Closing::kAbort);
    return SendResult::kQueueFull;
  }
  const bool is_own_thread = IsOwnThread();
  if (is_own_thread) ++sends_since_recv_;
  const bool direct = is_own_thread && !inbox_->HasMail();
  if (!direct) mail_memory_.fetch_add(size + kMailNode, std::memory_order_relaxed);
  try {
    if (direct) {
      queue_now();
      return SendResult::kQueued;
    }
    SessionRef keep = KeepSession();
    SendBufferRef buffer = make_buffer();
    const bool pushed =
        keep != nullptr && inbox_->Push([keep = std::move(keep), this, buffer = std::move(buffer)] {
          RunQueued(buffer);
        });
    if (pushed) return SendResult::kQueued;
  } catch (const std::bad_alloc&) {
    Disconnect(CloseReason::kSystemError, Closing::kAbort);
  }
  if (!direct) mail_memory_.fetch_sub(size + kMailNode, std::memory_order_relaxed);
  Uncount(size);
  return SendResult::kClosing;
}

// `queue_rest` is told how many of the first bytes have left already. In line, as a send at once
// may leave from here: see CompletionPort::SendAtOnce.
template <typename QueueRest>
inline SendResult Connection::SendOrEnqueue(std::span<const std::byte> bytes,
                                            QueueRest&& queue_rest) noexcept {
  if (!TakesSends()) return SendResult::kClosing;
  const std::size_t sent = IsOwnThread() && GainsByLeaving(bytes.size()) ? SendAtOnce(bytes) : 0;
  if (sent == 0) {
    return Enqueue(bytes.size(), [&] { queue_rest(0); }, [&] { return SendBuffer::Copy(bytes); });
  }
  ++sends_since_recv_;
  if (sent < bytes.size()) KeepRest(bytes.size() - sent, [&] { queue_rest(sent); });
  return SendResult::kQueued;
}

// The rest of a send that has begun to leave. It comes before all that other threads have asked for
// meanwhile, an end too. What can't be kept is counted as unsent, and the peer gets a reset.
template <typename QueueNow>
void Connection::KeepRest(std::size_t size, QueueNow&& queue_now) noexcept {
  if (!TryCount(size)) {
    queued_bytes_.fetch_add(size, std::memory_order_relaxed);
    return BeginEnd(CloseReason::kSendQueueFull, Closing::kAbort);
  }
  try {
    queue_now();
  } catch (const std::bad_alloc&) {
    BeginEnd(CloseReason::kSystemError, Closing::kAbort, ErrorCode::kNoBuffers);
  }
}

SendResult Connection::Send(std::span<const std::byte> bytes) noexcept {
  return SendOrEnqueue(bytes, [&](std::size_t sent) { QueueCopy(bytes.subspan(sent), {}); });
}

SendResult Connection::SendReceived(std::span<std::byte> bytes) noexcept {
  return SendOrEnqueue(bytes, [&](std::size_t sent) {
    const std::span<std::byte> rest = bytes.subspan(sent);
    SendBufferRef kept = worker_.Port().KeepReceived(rest);
    if (kept) return Queue(std::move(kept));
    QueueCopy(rest, {});
  });
}

SendResult Connection::Send(std::span<const std::byte> head,
                            std::span<const std::byte> body) noexcept {
  return Enqueue(
      head.size() + body.size(), [&] { QueueCopy(head, body); },
      [&] {
        SendBufferRef buffer = SendBuffer::Create(head.size() + body.size());
        const std::span<std::byte> bytes = buffer->Writable();
        std::copy(head.begin(), head.end(), bytes.begin());
        std::copy(body.begin(), body.end(), bytes.subspan(head.size()).begin());
        return buffer;
      });
}

SendResult Connection::Send(SendBufferRef buffer) noexcept {
  if (!buffer) return IsConnected() ? SendResult::kQueued : SendResult::kClosing;
  const std::size_t size = buffer->Size();
  return Enqueue(size, [&] { Queue(std::move(buffer)); }, [&] { return std::move(buffer); });
}

// A send that came by mail: nobody is there any more to be told that memory is short. One that was
// taken before the end, behind a broadcast that came too late for it, would leave a hole in what
// the peer gets.
void Connection::RunQueued(const SendBufferRef& buffer) noexcept {
  mail_memory_.fetch_sub(buffer->Size() + kMailNode, std::memory_order_relaxed);
  if (broadcast_missed_) return;
  try {
    Queue(buffer);
  } catch (const std::bad_alloc&) {
    BeginEnd(CloseReason::kSystemError, Closing::kAbort, ErrorCode::kNoBuffers);
  }
}

void Connection::Disconnect(CloseReason reason, Closing closing) noexcept {
  State state = state_.load(std::memory_order_acquire);
  while (state < State::kDisconnecting) {
    if (state_.compare_exchange_weak(state, State::kDisconnecting, std::memory_order_acq_rel)) {
      return Ask(end_mail_, reason, closing);
    }
  }
  if (state != State::kClosed && closing == Closing::kAbort &&
      !abort_asked_.exchange(true, std::memory_order_acq_rel)) {
    Ask(abort_mail_, reason, closing);
  }
}

// Each mail is used once: whoever won the right to it is the only one here.
void Connection::Ask(EndMail& mail, CloseReason reason, Closing closing) noexcept {
  if (IsOwnThread() && !inbox_->HasMail()) {
    BeginEnd(reason, closing);
  } else {
    if (IsOwnThread()) end_in_mail_ = true;
    mail.Send(*inbox_, reason, closing);
  }
}

void Connection::EndMail::Send(Inbox& inbox, CloseReason reason, Closing closing) noexcept {
  reason_ = reason;
  closing_ = closing;
  keep_ = connection_.KeepSession();
  // A closed inbox has nobody left behind it: the connection has ended.
  if (!inbox.Push(*this)) keep_.reset();
}

void Connection::EndMail::Deliver() noexcept {
  const SessionRef keep = std::move(keep_);
  connection_.BeginEnd(reason_, closing_);
}

void Connection::EndMail::Discard() noexcept { const SessionRef keep = std::move(keep_); }

// Through the inbox. What can't be asked for lack of memory ends the session rather than being
// forgotten.
template <typename Action>
void Connection::PushAction(Action action) noexcept {
  SessionRef keep = KeepSession();
  if (keep == nullptr) return;
  try {
    static_cast<void>(inbox_->Push([keep = std::move(keep), action] { action(); }));
  } catch (const std::bad_alloc&) {
    Disconnect(CloseReason::kSystemError, Closing::kAbort);
  }
}

void Connection::ShutdownSend() noexcept {
  if (send_shut_.exchange(true, std::memory_order_acq_rel)) return;
  const auto shut = [this] {
    fin_asked_ = true;
    SendFin();
  };
  if (IsOwnThread() && !inbox_->HasMail()) return shut();
  PushAction(shut);
}

void Connection::AskPaused(bool paused) noexcept {
  if (!IsOwnThread() || paused != paused_ || inbox_->HasMail()) ChangePaused(paused);
}

void Connection::ChangePaused(bool paused) noexcept {
  if (state_.load(std::memory_order_acquire) == State::kClosed) return;
  if (!IsOwnThread()) {
    return PushAction([this, paused] {
      if (own_pauses_in_mail_ == 0) SetPaused(paused);
    });
  }
  SetPaused(paused);
  // Mail that waits may say the opposite, and was sent before: it has no say until this is behind
  // it.
  if (!inbox_->HasMail()) return;
  ++own_pauses_in_mail_;
  PushAction([this] { --own_pauses_in_mail_; });
}

bool Connection::Join(GroupId group) noexcept {
  if (!IsConnected()) return false;
  try {
    // It counts from here on, so that a broadcast that comes after it finds it.
    auto membership =
        std::make_unique<Membership>(Manager()->Groups(), group, *this, Id().Worker());
    if (IsOwnThread() && !inbox_->HasMail()) return EnterGroup(std::move(membership));
    SessionRef keep = KeepSession();
    return keep != nullptr && inbox_->Push(PendingJoin{std::move(keep), std::move(membership)});
  } catch (const std::bad_alloc&) {
    Disconnect(CloseReason::kSystemError, Closing::kAbort);
    return false;
  }
}

void Connection::Leave(GroupId group) noexcept {
  if (state_.load(std::memory_order_acquire) == State::kClosed) return;
  if (IsOwnThread() && !inbox_->HasMail()) return ExitGroup(group);
  PushAction([this, group] { ExitGroup(group); });
}

void Connection::LeaveAll() noexcept {
  if (state_.load(std::memory_order_acquire) == State::kClosed) return;
  if (IsOwnThread() && !inbox_->HasMail()) return ExitGroups();
  PushAction([this] { ExitGroups(); });
}

// False if it came too late.
bool Connection::EnterGroup(std::unique_ptr<Membership> membership) noexcept {
  if (phase_ != Phase::kOpen) return false;
  Group& group = membership->GetGroup();
  for (const Membership* one = FirstMembership(); one != nullptr; one = one->next_of_member.get()) {
    if (&one->GetGroup() == &group) return true;
  }
  group.Add(*membership);
  membership->next_of_member = std::move(memberships_);
  memberships_ = std::move(membership);
  return true;
}

void Connection::ExitGroup(GroupId group) noexcept {
  std::unique_ptr<Membership>* link = &memberships_;
  while (*link != nullptr && (*link)->GetGroup().Id() != group) link = &(*link)->next_of_member;
  if (*link == nullptr) return;
  const std::unique_ptr<Membership> gone = std::exchange(*link, std::move((*link)->next_of_member));
  gone->GetGroup().Remove(*gone);
}

void Connection::ExitGroups() noexcept {
  while (memberships_ != nullptr) ExitGroup(memberships_->GetGroup().Id());
}

void Connection::QueueBroadcast(const SendBufferRef& buffer) noexcept {
  if (phase_ != Phase::kOpen || fin_asked_) {
    broadcast_missed_ = true;
    return;
  }
  const std::size_t size = buffer->Size();
  if (!TryCount(size)) return BeginEnd(CloseReason::kSendQueueFull, Closing::kAbort);
  try {
    Queue(buffer);
  } catch (const std::bad_alloc&) {
    Uncount(size);
    BeginEnd(CloseReason::kSystemError, Closing::kAbort, ErrorCode::kNoBuffers);
  }
}

bool Connection::Post(Task task) {
  SessionRef keep = KeepSession();
  return keep != nullptr && inbox_->Push([keep = std::move(keep), this,
                                          task = std::move(task)]() mutable { RunPosted(task); });
}

}  // namespace netcore
