// EpollPort's recv streams.
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "netcore/base/assert.h"
#include "netcore/port/linux/epoll_port.h"
#include "netcore/port/linux/epoll_socket.h"
#include "netcore/port/linux/linux_sockets.h"
#include "netcore/port/linux/system_calls.h"

namespace netcore::linux_port {

void EpollPort::SubmitRecv(PortSocket& port_socket, IocpEvent& event) noexcept {
  auto& socket = static_cast<Socket&>(port_socket);
  NETCORE_ASSERT(socket.recv == nullptr);
  Begin(socket, event);
  socket.recv = &event;
  socket.recv_paused = false;
  if (UpdateInterest(socket)) return;
  const int code = errno;
  socket.recv = nullptr;
  Queue(event, ErrorFromErrno(code));
}

void EpollPort::PauseRecv(PortSocket& port_socket, IocpEvent& event) noexcept {
  AssertOwnThread();
  auto& socket = static_cast<Socket&>(port_socket);
  if (!event.IsPending() || socket.recv_paused) return;
  socket.recv_paused = true;
  if (socket.recv != nullptr) DropInterest(socket);
}

void EpollPort::ResumeRecv(PortSocket& port_socket, IocpEvent& event) noexcept {
  AssertOwnThread();
  auto& socket = static_cast<Socket&>(port_socket);
  if (!event.IsPending() || !socket.recv_paused) return;
  socket.recv_paused = false;
  Record& record = RecordOf<Record>(event);
  if (record.held) return Queue(event, std::move(record.error));
  if (socket.recv == nullptr || UpdateInterest(socket)) return;
  const int code = errno;
  socket.recv = nullptr;
  Queue(event, ErrorFromErrno(code));
}

// Where epoll tells of changes alone, and there may be bytes that it has told of already: set once
// more, it looks at the socket itself.
void EpollPort::LookAgain(Socket& socket) noexcept {
  if ((socket.interest & EPOLLET) == 0) return;
  const bool set = SetInterest(socket, socket.interest);
  NETCORE_ASSERT(set);
}

std::size_t EpollPort::HandleRecv(Socket& socket, std::uint32_t readiness) noexcept {
  if (socket.recv == nullptr || socket.recv_paused) return 0;
  const std::span<std::byte> room = recv_area_.Bytes();
  ssize_t received;
  do {
    received = CallRecv(socket.descriptor, room, MSG_DONTWAIT);
  } while (received < 0 && errno == EINTR);
  if (received < 0 && errno == EAGAIN) return 0;

  IoResult result;
  IocpEvent& event = *socket.recv;
  if (received > 0) {
    result.more = true;
    result.data = room.first(static_cast<std::size_t>(received));
  } else {
    result.error = ErrorFromErrno(received < 0 ? errno : socket.send_error);
    socket.recv = nullptr;
  }
  // Level-triggered from now on: HandleReadiness sees to that, and epoll looks at the socket
  // itself.
  if (received == static_cast<ssize_t>(room.size())) socket.overflows = true;
  Complete(event, result);
  const bool may_have_more = received > 0 && (readiness & ~std::uint32_t{EPOLLIN}) != 0;
  if (may_have_more && !socket.closed) LookAgain(socket);
  return 1;
}

}  // namespace netcore::linux_port
