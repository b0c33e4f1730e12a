// EpollFactory: the epoll backend.
#include "netcore/port/linux/epoll_factory.h"

#include <utility>

#include "netcore/port/linux/epoll_port.h"
#include "netcore/port/linux/linux_sockets.h"

namespace netcore::linux_port {

Error EpollFactory::MakePort(std::unique_ptr<CompletionPort>& port) {
  auto opened = std::make_unique<EpollPort>();
  if (Error error = opened->Open()) return error;
  port = std::move(opened);
  return {};
}

Error EpollFactory::Listen(const Endpoint& address, const SocketOptions& options,
                           OwnedSocket& socket, Endpoint& bound) {
  return ListenSocket(address, options, socket, bound);
}

Error EpollFactory::OpenSocket(Endpoint::Family family, OwnedSocket& socket) {
  return linux_port::OpenSocket(family, socket);
}

}  // namespace netcore::linux_port
