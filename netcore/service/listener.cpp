// From an address in words to a listening socket.
#include "netcore/service/listener.h"

#include <utility>

namespace netcore {

Listener::Listener(int port) : Listener(std::string(), port) {}

Listener::Listener(std::string address, int port) : address_(std::move(address)), port_(port) {}

Error Listener::Open(PortFactory& factory, const SocketOptions& options) {
  Endpoint endpoint;
  if (const Error error = Endpoint::Parse(address_, port_, endpoint)) return error.At("listen");
  const std::lock_guard lock(mutex_);
  return factory.Listen(endpoint, options, socket_, bound_);
}

OwnedSocket Listener::TakeSocket() noexcept {
  const std::lock_guard lock(mutex_);
  return std::move(socket_);
}

Endpoint Listener::LocalEndpoint() const noexcept {
  const std::lock_guard lock(mutex_);
  return bound_;
}

}  // namespace netcore
