#include "netcore/port/windows/iocp_factory.h"

#include <utility>

#include "netcore/port/windows/iocp_port.h"
#include "netcore/port/windows/winsock_sockets.h"

namespace netcore {

IocpFactory::IocpFactory(std::unique_ptr<windows_port::WinsockRuntime> runtime) noexcept
    : runtime_(std::move(runtime)) {}

Error IocpFactory::Make(std::unique_ptr<PortFactory>& factory) {
  std::unique_ptr<windows_port::WinsockRuntime> runtime;
  if (Error error = windows_port::WinsockRuntime::Start(runtime)) return error;
  factory.reset(new IocpFactory(std::move(runtime)));
  return {};
}

Error IocpFactory::MakePort(std::unique_ptr<CompletionPort>& port) {
  return IocpPort::Make(*runtime_, port);
}

Error IocpFactory::Listen(const Endpoint& address, const SocketOptions& options,
                          OwnedSocket& socket, Endpoint& bound) {
  return windows_port::ListenSocket(address, options, socket, bound);
}

Error IocpFactory::OpenSocket(Endpoint::Family family, OwnedSocket& socket) {
  return windows_port::OpenSocket(family, socket);
}

}  // namespace netcore
