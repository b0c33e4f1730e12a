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
  if (in_use_) {
    return Error(ErrorCode::kAddressInUse, 0,
                 "listener " + bound_.ToString() + " is already in use by another service");
  }
  OwnedSocket socket;
  Endpoint bound;
  if (const Error error = factory.Listen(endpoint, options, socket, bound)) return error;
  socket_ = std::move(socket);
  bound_before_ = std::exchange(bound_, bound);
  in_use_ = true;
  return {};
}

void Listener::Release() noexcept {
  const std::lock_guard lock(mutex_);
  in_use_ = false;
}

void Listener::Revoke() noexcept {
  const std::lock_guard lock(mutex_);
  const OwnedSocket closed = std::move(socket_);
  bound_ = bound_before_;
  in_use_ = false;
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
