// Listener: the address that a service listens on. The work is done by Acceptor.
#pragma once

#include <mutex>
#include <string>

#include "netcore/base/endpoint.h"
#include "netcore/base/error.h"
#include "netcore/port/owned_socket.h"
#include "netcore/port/port_factory.h"

namespace netcore {

/// Owns: the listening socket between Open and the moment a service takes it. Threads: any.
class Listener {
 public:
  /// All addresses of this machine, IPv4 and IPv6. Port 0 means any free one. What is out of range
  /// is an error of Start.
  explicit Listener(int port);

  /// `address` as Endpoint::Parse reads it.
  Listener(std::string address, int port);

  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Binds and listens. Errors read "bind 0.0.0.0:11021: address already in use".
  [[nodiscard]] Error Open(PortFactory& factory, const SocketOptions& options);

  /// The listening socket, once after Open.
  OwnedSocket TakeSocket() noexcept;

  /// With the port that the system chose; none before Open.
  Endpoint LocalEndpoint() const noexcept;

 private:
  const std::string address_;
  const int port_;

  mutable std::mutex mutex_;
  OwnedSocket socket_;
  Endpoint bound_;
};

}  // namespace netcore
