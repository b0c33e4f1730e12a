// How MemoryPort's operations go on: each is tried when it may be able to, and told how it went.
#include <memory>
#include <new>
#include <span>
#include <utility>

#include "netcore/sim/memory_port.h"
#include "netcore/sim/memory_records.h"
#include "netcore/sim/memory_socket.h"

namespace netcore {

std::size_t MemoryPort::Try(IocpEvent& event) noexcept {
  Operation& operation = RecordOf<Operation>(event);
  TakeReady(event);
  if (event.Kind() == EventKind::kAccept) --operation.socket.ready_accept_count;
  if (IsHeldUp(event)) return 0;
  if (operation.error) return Finish(event, operation.error);
  try {
    switch (event.Kind()) {
      case EventKind::kAccept:
        return TryAccept(event);
      case EventKind::kConnect:
        return TryConnect(event);
      case EventKind::kRecv:
        return TryRecv(event);
      case EventKind::kSend:
        return TrySend(event);
    }
  } catch (const std::bad_alloc&) {
    return Finish(event, ErrorCode::kNoBuffers, operation.bytes_sent);
  }
  return 0;
}

std::size_t MemoryPort::TryAccept(IocpEvent& event) {
  Operation& operation = RecordOf<Operation>(event);
  Adopted& listener = operation.socket;
  if (operation.cancelled && !operation.cancel_lost) return Finish(event, ErrorCode::kCancelled);
  if (const Error failure = DrawAcceptFailure(listener)) {
    // As on Windows one time, and as on Linux the next.
    const bool drops = failure == ErrorCode::kConnectionAborted &&
                       control_->faults.CountOf(Fault::kAcceptAborted) % 2 == 0;
    return drops ? DropConnection(event) : Finish(event, failure);
  }
  std::unique_ptr<MemorySocket> connection;
  const MemoryResult accepted = listener.socket->Accept(connection);
  if (accepted.error == ErrorCode::kConnectionAborted) return DropConnection(event);
  if (accepted.blocked) {
    if (operation.cancelled) return Finish(event, ErrorCode::kCancelled);
    listener.accepts.PushBack(operation);
    return 0;
  }
  IoResult result;
  result.error = accepted.error;
  AcceptedSocket socket;
  if (connection != nullptr) {
    socket.peer = connection->Peer();
    socket.socket = MemorySocket::ToOwned(std::move(connection));
    result.accepted = &socket;
  }
  return Finish(event, result);
}

// The accept is still posted; its next try comes behind what is ready now.
std::size_t MemoryPort::DropConnection(IocpEvent& event) noexcept {
  IoResult result;
  result.more = true;
  result.error = ErrorCode::kConnectionAborted;
  MakeReady(event);
  Deliver(event, result);
  return 1;
}

Error MemoryPort::DrawAcceptFailure(Adopted& listener) noexcept {
  if (control_ == nullptr || listener.socket->WaitingConnectionCount() == 0) return {};
  if (Happens(Fault::kAcceptTooManyFiles)) return ErrorCode::kTooManyFiles;
  if (Happens(Fault::kAcceptNoBuffers)) return ErrorCode::kNoBuffers;
  if (!Happens(Fault::kAcceptAborted)) return {};
  std::unique_ptr<MemorySocket> gone;
  static_cast<void>(listener.socket->Accept(gone));
  return ErrorCode::kConnectionAborted;
}

std::size_t MemoryPort::TryConnect(IocpEvent& event) {
  Operation& operation = RecordOf<Operation>(event);
  MemorySocket& socket = *operation.socket.socket;
  const auto give_up = [&] {
    socket.AbandonConnect();
    return Finish(event, ErrorCode::kCancelled);
  };
  if (operation.cancelled && !operation.cancel_lost) return give_up();
  if (!std::exchange(operation.begun, true)) {
    if (Happens(Fault::kConnectRefused)) return Finish(event, ErrorCode::kConnectionRefused);
    if (Happens(Fault::kConnectTimedOut)) {
      operation.error = ErrorCode::kTimedOut;
      Hold(event, Later(net_->Now(), control_->faults.DrawStall()));
      return 0;
    }
  }
  const MemoryResult connected = socket.Connect(operation.socket.connect_to);
  if (!connected.blocked) return Finish(event, connected.error);
  return operation.cancelled ? give_up() : 0;
}

std::size_t MemoryPort::TryRecv(IocpEvent& event) {
  Operation& operation = RecordOf<Operation>(event);
  if (operation.cancelled && (!operation.cancel_lost || operation.paused))
    return Finish(event, ErrorCode::kCancelled);
  if (operation.paused) return 0;
  operation.cancel_lost = false;
  std::size_t most = lent_.size();
  if (Happens(Fault::kShortRecv)) most = control_->faults.DrawShort(1024);
  const MemoryResult received = operation.socket.socket->Recv(std::span(lent_).first(most));
  if (received.blocked) return Blocked(event);
  if (received.bytes == 0) return Finish(event, received.error);
  IoResult result;
  result.more = true;
  result.data = std::span(lent_).first(received.bytes);
  MakeReady(event);  // the stream goes on; behind the others
  Deliver(event, result);
  return 1;
}

std::size_t MemoryPort::TrySend(IocpEvent& event) {
  Operation& operation = RecordOf<Operation>(event);
  if (operation.cancelled && !operation.cancel_lost)
    return Finish(event, ErrorCode::kCancelled, operation.bytes_sent);
  for (SendSlice& slice : operation.socket.to_send) {
    while (!slice.empty()) {
      const bool is_short = Happens(Fault::kShortSend);
      const std::size_t most = is_short ? control_->faults.DrawShort(slice.size()) : slice.size();
      const MemoryResult sent = operation.socket.socket->Send(slice.first(most));
      if (sent.error) return Finish(event, sent.error, operation.bytes_sent);
      if (sent.blocked) return Blocked(event);
      operation.bytes_sent += sent.bytes;
      slice = slice.subspan(sent.bytes);
      if (!is_short) continue;
      MakeReady(event);
      return 0;
    }
  }
  return Finish(event, {}, operation.bytes_sent);
}

// Waits for its watcher, unless it was to be cancelled.
std::size_t MemoryPort::Blocked(IocpEvent& event) noexcept {
  const Operation& operation = RecordOf<Operation>(event);
  return operation.cancelled ? Finish(event, ErrorCode::kCancelled, operation.bytes_sent) : 0;
}

std::size_t MemoryPort::Finish(IocpEvent& event, const Error& error, std::size_t bytes) noexcept {
  IoResult result;
  result.error = error;
  result.bytes = bytes;
  return Finish(event, result);
}

std::size_t MemoryPort::Finish(IocpEvent& event, IoResult& result) noexcept {
  const Operation& operation = RecordOf<Operation>(event);
  Adopted& socket = operation.socket;
  if (operation.ready) TakeReady(event);  // made so by its own last try
  if (event.Kind() == EventKind::kAccept) {
    --socket.accept_count;
    MakeAcceptsReady(socket);
  } else {
    socket.Pending(event.Kind()) = nullptr;
  }
  if (control_ != nullptr && event.Kind() == EventKind::kSend) {
    Expect(SumOf(socket.sending) == socket.sum, "the bytes of a pending send were changed");
    if (result.error && !(result.error == ErrorCode::kCancelled)) socket.send_ended = true;
  }
  if (event.Kind() == EventKind::kRecv && !(result.error == ErrorCode::kCancelled))
    socket.recv_ended = true;
  Deliver(event, result);
  return 1;
}

void MemoryPort::Deliver(IocpEvent& event, IoResult& result) noexcept {
  const Operation& operation = RecordOf<Operation>(event);
  if (control_ != nullptr) {
    Expect(operation.alive == Operation::kAlive, "a pending event was written to");
    Note(SimEvent::kComplete, static_cast<std::uint8_t>(event.Kind()), operation.socket,
         (result.data.size() + result.bytes) << 8U |
             static_cast<std::uint64_t>(result.error.Code()));
    if (!result.more) control_->trace.CountFinal();
  }
  const SimForeignWork foreign(control_);
  CompleteEvent<Operation>(event, result);
}

}  // namespace netcore
