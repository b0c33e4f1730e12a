// EpollPort's accepts: a listener's events take in turn what is accepted.
#include <sys/socket.h>

#include <cerrno>

#include "netcore/port/linux/epoll_port.h"
#include "netcore/port/linux/epoll_socket.h"
#include "netcore/port/linux/linux_sockets.h"

namespace netcore::linux_port {

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
    const int system_code = descriptor < 0 ? errno : 0;
    if (system_code == EAGAIN) break;
    const AcceptFault fault = AcceptFaultOf(system_code);
    if (system_code != 0 && fault == AcceptFault::kNone) continue;

    IoResult result;
    AcceptedSocket accepted;
    if (system_code == 0) {
      accepted = {OwnDescriptor(descriptor), FromSockaddr(address)};
      result.accepted = &accepted;
    } else if (fault == AcceptFault::kPeer) {
      result.error = Error(ErrorCode::kConnectionAborted, system_code);
      result.more = true;
    } else {
      result.error = ErrorFromErrno(system_code);
    }
    Record& record = result.more ? listener.accepts.Front() : listener.accepts.PopFront();
    Complete(record.event, result);
    ++count;
    // Mostly no descriptor is left: the other accepts would fail alike.
    if (system_code != 0 && fault == AcceptFault::kOther) break;
  }
  return count;
}

}  // namespace netcore::linux_port
