// IocpPort's four operations: accept, connect, send and recv.
#include <span>
#include <utility>

#include "netcore/base/assert.h"
#include "netcore/port/windows/iocp_port.h"
#include "netcore/port/windows/winsock_sockets.h"

namespace netcore {

using windows_port::AcceptRecord;
using windows_port::ErrorFromAccept;
using windows_port::ErrorFromWindows;
using windows_port::IocpSocket;
using windows_port::OperationState;
using windows_port::SendRecord;

namespace {

// Until its context is updated, a socket of AcceptEx or ConnectEx is not a connection to
// getpeername, getsockname and shutdown.
int UpdateAcceptContext(SOCKET accepted, SOCKET listener) noexcept {
  const int outcome =
      ::setsockopt(accepted, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT,
                   reinterpret_cast<const char*>(&listener), static_cast<int>(sizeof(listener)));
  return outcome == 0 ? 0 : ::WSAGetLastError();
}

int UpdateConnectContext(SOCKET connected) noexcept {
  const int outcome = ::setsockopt(connected, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, nullptr, 0);
  return outcome == 0 ? 0 : ::WSAGetLastError();
}

// ConnectEx wants a socket that has an address already.
int BindToAny(SOCKET socket, int family) noexcept {
  const Endpoint any = family == AF_INET6 ? Endpoint::Any(0) : Endpoint::AnyIpv4(0);
  sockaddr_storage address;
  const int length = windows_port::ToSockaddr(any, address);
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), length) == 0) return 0;
  const int status = ::WSAGetLastError();
  return status == WSAEINVAL ? 0 : status;  // bound already
}

// The peer that AcceptEx has written down.
Endpoint PeerOf(const IocpSocket& listener, AcceptRecord& record) noexcept {
  sockaddr* local = nullptr;
  sockaddr* remote = nullptr;
  int local_length = 0;
  int remote_length = 0;
  listener.extensions->get_accept_ex_sockaddrs(
      record.addresses.data(), 0, AcceptRecord::kAddressSize, AcceptRecord::kAddressSize, &local,
      &local_length, &remote, &remote_length);
  const Endpoint peer = windows_port::FromSockaddr(remote, remote_length);
  if (peer.GetFamily() != Endpoint::Family::kNone) return peer;
  return windows_port::PeerEndpointOf(record.socket);
}

SendRecord& SendRecordOf(const windows_port::IocpOperation& operation) noexcept {
  return *static_cast<SendRecord*>(operation.record);
}

std::size_t Fill(SendRecord& record, std::span<const SendSlice> slices) noexcept {
  std::size_t total = 0;
  record.first = 0;
  record.count = 0;
  for (const SendSlice slice : slices) {
    // WSABUF serves recv too; WSASend only reads.
    auto* bytes = reinterpret_cast<CHAR*>(const_cast<std::byte*>(slice.data()));
    record.buffers[record.count++] = WSABUF{static_cast<ULONG>(slice.size()), bytes};
    total += slice.size();
  }
  return total;
}

// Drops what was sent. True if something is left.
bool Advance(SendRecord& record, DWORD sent) noexcept {
  while (record.count > 0) {
    WSABUF& buffer = record.buffers[record.first];
    if (sent < buffer.len) {
      buffer.buf += sent;
      buffer.len -= sent;
      return true;
    }
    sent -= buffer.len;
    ++record.first;
    --record.count;
  }
  return false;
}

// True if what recv told as the end of the stream was a reset. On Windows it never is, recv fails.
// Wine 8 drops a reset that comes while nothing is armed, but its poll remembers.
bool WasReset(SOCKET socket) noexcept {
  return (windows_port::RecvReadinessOf(socket) & POLLERR) != 0;
}

// Our own cancel decides the reason before the number does, which can be any.
Error FailureOf(const windows_port::IocpOperation& operation) noexcept {
  if (operation.status == 0) return {};
  if (operation.cancelled) return Error(ErrorCode::kCancelled, operation.status);
  return operation.kind == EventKind::kAccept ? ErrorFromAccept(operation.status)
                                              : ErrorFromWindows(operation.status);
}

}  // namespace

void IocpPort::SubmitAccept(PortSocket& listener, IocpEvent& event) noexcept {
  Operation* const operation = Begin(EventKind::kAccept, listener, event);
  if (operation == nullptr) return;
  AcceptRecord* const record = accept_records_.Acquire();
  if (record == nullptr) return Refuse(*operation, WSA_NOT_ENOUGH_MEMORY);
  operation->record = record;
  record->socket = windows_port::NewSocket(operation->socket->family);
  if (record->socket == INVALID_SOCKET) return Refuse(*operation, ::WSAGetLastError());

  // No bytes are received along with the accept: a client that sends none would hold it up.
  DWORD transferred = 0;
  const BOOL done = operation->socket->extensions->accept_ex(
      operation->socket->handle, record->socket, record->addresses.data(), 0,
      AcceptRecord::kAddressSize, AcceptRecord::kAddressSize, &transferred, &operation->overlapped);
  AfterCall(*operation, done != FALSE, transferred);
}

void IocpPort::ProcessAccept(Operation& operation) noexcept {
  IoResult result;
  AcceptedSocket accepted;
  if (auto* const record = static_cast<AcceptRecord*>(operation.record)) {
    if (record->socket != INVALID_SOCKET) accepted.socket = windows_port::OwnSocket(record->socket);
    if (operation.status == 0) {
      operation.status = UpdateAcceptContext(record->socket, operation.socket->handle);
    }
    if (operation.status == 0) {
      accepted.peer = PeerOf(*operation.socket, *record);
      result.accepted = &accepted;
    }
    accept_records_.Release(record);
  }
  result.error = FailureOf(operation);
  Complete(operation, result);
}

void IocpPort::SubmitConnect(PortSocket& socket, const Endpoint& peer, IocpEvent& event) noexcept {
  Operation* const operation = Begin(EventKind::kConnect, socket, event);
  if (operation == nullptr) return;
  const Socket& connecting = *operation->socket;
  sockaddr_storage address;
  const int length = windows_port::ToSockaddr(peer, address);
  if (length == 0) return Refuse(*operation, WSAEFAULT);
  if (const int status = BindToAny(connecting.handle, connecting.family); status != 0) {
    return Refuse(*operation, status);
  }
  DWORD transferred = 0;
  const BOOL done = connecting.extensions->connect_ex(
      connecting.handle, reinterpret_cast<const sockaddr*>(&address), length, nullptr, 0,
      &transferred, &operation->overlapped);
  AfterCall(*operation, done != FALSE, transferred);
}

void IocpPort::ProcessConnect(Operation& operation) noexcept {
  if (operation.status == 0) operation.status = UpdateConnectContext(operation.socket->handle);
  IoResult result;
  result.error = FailureOf(operation);
  Complete(operation, result);
}

void IocpPort::SubmitSend(PortSocket& socket, std::span<const SendSlice> slices,
                          IocpEvent& event) noexcept {
  NETCORE_ASSERT(!slices.empty() && slices.size() <= kMaxSendSlices);
  Operation* const operation = Begin(EventKind::kSend, socket, event);
  if (operation == nullptr) return;
  SendRecord* const record = send_records_.Acquire();
  if (record == nullptr) return Refuse(*operation, WSA_NOT_ENOUGH_MEMORY);
  operation->record = record;
  const std::size_t total = Fill(*record, slices);
  NETCORE_ASSERT(total > 0 && total <= kMaxSendBytes);
  StartSend(*operation);
}

void IocpPort::StartSend(Operation& operation) noexcept {
  SendRecord& record = SendRecordOf(operation);
  operation.overlapped = OVERLAPPED{};
  DWORD transferred = 0;
  const int outcome = ::WSASend(operation.socket->handle, &record.buffers[record.first],
                                record.count, &transferred, 0, &operation.overlapped, nullptr);
  AfterCall(operation, outcome == 0, transferred);
}

void IocpPort::ProcessSend(Operation& operation) noexcept {
  if (operation.record != nullptr) {
    // A failed send, a cancelled one above all, may have sent some of its bytes.
    operation.sent += operation.transferred;
    const bool left = Advance(SendRecordOf(operation), operation.transferred);
    if (left && operation.status == 0) {
      if (operation.cancelled) {
        operation.status = WSA_OPERATION_ABORTED;
      } else if (operation.transferred > 0) {
        return StartSend(operation);
      } else {
        operation.status = WSAECONNRESET;  // a send that succeeds in nothing would go on for ever
      }
    }
    send_records_.Release(&SendRecordOf(operation));
  }
  IoResult result;
  result.error = FailureOf(operation);
  result.bytes = operation.sent;
  Complete(operation, result);
}

void IocpPort::SubmitRecv(PortSocket& socket, IocpEvent& event) noexcept {
  if (Operation* const operation = Begin(EventKind::kRecv, socket, event)) ArmRecv(*operation);
}

void IocpPort::PauseRecv(PortSocket& socket, IocpEvent& event) noexcept {
  static_cast<void>(SocketOf(socket));
  if (event.IsPending()) RecordOf<Operation>(event).paused = true;
}

void IocpPort::ResumeRecv(PortSocket& socket, IocpEvent& event) noexcept {
  static_cast<void>(SocketOf(socket));
  if (!event.IsPending()) return;
  Operation& operation = RecordOf<Operation>(event);
  operation.paused = false;
  if (operation.state == OperationState::kParked) MakeReady(operation);
}

// A recv of no bytes completes when there is something to receive, an end or an error, and takes
// nothing of it: a paused stream may stay armed.
void IocpPort::ArmRecv(Operation& operation) noexcept {
  operation.overlapped = OVERLAPPED{};
  CHAR nothing = 0;
  WSABUF buffer{0, &nothing};
  DWORD transferred = 0;
  DWORD flags = 0;
  const int outcome = ::WSARecv(operation.socket->handle, &buffer, 1, &transferred, &flags,
                                &operation.overlapped, nullptr);
  AfterCall(operation, outcome == 0, transferred);
}

void IocpPort::ProcessRecv(Operation& operation) noexcept {
  if (operation.cancelled) return EndRecv(operation, Error(ErrorCode::kCancelled));
  if (operation.paused) {
    operation.state = OperationState::kParked;
    return;
  }
  const Error failure = ErrorFromWindows(operation.status);
  if (failure && failure.Code() != ErrorCode::kConnectionReset) return EndRecv(operation, failure);

  // What came before a reset may still be there.
  const SOCKET handle = operation.socket->handle;
  const std::span<std::byte> room = recv_area_.Bytes();
  const int got =
      ::recv(handle, reinterpret_cast<char*>(room.data()), static_cast<int>(room.size()), 0);
  const int status = got == SOCKET_ERROR ? ::WSAGetLastError() : 0;
  if (got > 0) {
    DeliverRecv(operation, static_cast<std::size_t>(got));
  } else if (failure) {
    EndRecv(operation, failure);
  } else if (status == WSAEWOULDBLOCK) {
    ArmRecv(operation);
  } else if (status != 0) {
    EndRecv(operation, ErrorFromWindows(status));
  } else {
    EndRecv(operation, WasReset(handle) ? ErrorFromWindows(WSAECONNRESET) : Error());
  }
}

void IocpPort::DeliverRecv(Operation& operation, std::size_t size_bytes) noexcept {
  operation.state = OperationState::kDelivering;
  IoResult result;
  result.more = true;
  result.data = recv_area_.Bytes().first(size_bytes);
  ++handed_out_;
  CompleteEvent<Operation>(*operation.event, result);

  if (operation.state != OperationState::kDelivering) return;  // cancelled, and ready to end
  if (operation.paused) {
    operation.state = OperationState::kParked;
  } else if (size_bytes == recv_area_.Bytes().size() || operation.status != 0) {
    MakeReady(operation);
  } else {
    ArmRecv(operation);
  }
}

void IocpPort::EndRecv(Operation& operation, const Error& error) noexcept {
  IoResult result;
  result.error = error;
  Complete(operation, result);
}

}  // namespace netcore
