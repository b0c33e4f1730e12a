// EpollPort's accepts: a listener's events take in turn what is accepted.
#include <sys/socket.h>

#include <cerrno>

#include "netcore/port/linux/epoll_port.h"
#include "netcore/port/linux/epoll_socket.h"
#include "netcore/port/linux/linux_sockets.h"

namespace netcore::linux_port {
namespace {

// The connection that was next in line is gone, and the call has used it up; the one behind it may
// be fine (accept(2), "Error handling").
bool IsPeersFault(int accept_error) noexcept {
  switch (accept_error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
      return true;
    default:
      return false;
  }
}

}  // namespace

void EpollPort::SubmitAccept(PortSocket& listener, IocpEvent& event) noexcept {
  auto& socket = static_cast<Socket&>(listener);
  Record& record = Begin(socket, event);
  record.previous = socket.last_accept;
  if (socket.last_accept != nullptr)
    RecordOf<Record>(*socket.last_accept).next = &event;
  else
    socket.first_accept = &event;
  socket.last_accept = &event;
  if (UpdateInterest(socket)) return;
  const int code = errno;
  TakeAccept(socket, event);
  Queue(event, ErrorFromErrno(code));
}

void EpollPort::TakeAccept(Socket& listener, IocpEvent& event) noexcept {
  const Record& record = RecordOf<Record>(event);
  if (record.previous != nullptr)
    RecordOf<Record>(*record.previous).next = record.next;
  else
    listener.first_accept = record.next;
  if (record.next != nullptr)
    RecordOf<Record>(*record.next).previous = record.previous;
  else
    listener.last_accept = record.previous;
}

std::size_t EpollPort::HandleAccepts(Socket& listener) noexcept {
  std::size_t count = 0;
  for (int i = 0; i < kMaxAccepts && listener.first_accept != nullptr; ++i) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    const int descriptor = ::accept4(listener.descriptor, reinterpret_cast<sockaddr*>(&address),
                                     &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0 && errno == EAGAIN) break;
    if (descriptor < 0 && IsPeersFault(errno)) continue;

    IoResult result;
    AcceptedSocket accepted;
    if (descriptor < 0) {
      result.error = ErrorFromErrno(errno);
    } else {
      accepted = {OwnDescriptor(descriptor), FromSockaddr(address)};
      result.accepted = &accepted;
    }
    IocpEvent& event = *listener.first_accept;
    TakeAccept(listener, event);
    Complete(event, result);
    ++count;
    if (descriptor < 0) break;  // out of descriptors, mostly: the others need not hear it at once
  }
  return count;
}

}  // namespace netcore::linux_port
