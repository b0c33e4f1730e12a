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
  socket.accepts.PushBack(record);
  if (!UpdateInterest(socket)) Queue(event, ErrorFromErrno(errno));
}

std::size_t EpollPort::HandleAccepts(Socket& listener) noexcept {
  std::size_t count = 0;
  for (int i = 0; i < kMaxAccepts && !listener.accepts.IsEmpty(); ++i) {
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
    Complete(listener.accepts.PopFront().event, result);
    ++count;
    if (descriptor < 0) break;  // out of descriptors, mostly: the others need not hear it at once
  }
  return count;
}

}  // namespace netcore::linux_port
