// Listener: the address that a service listens on. The work is done by Acceptor.
#pragma once

#include <mutex>
#include <string>

#include "netcore/base/endpoint.h"
#include "netcore/base/error.h"
#include "netcore/port/owned_socket.h"
#include "netcore/port/port_factory.h"

namespace netcore {

/// One service at a time uses it: from its Start until its WaitStopped says `complete`, or until it
/// is destroyed.
///
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

  /// Binds and listens. Errors read "bind 0.0.0.0:11021: address already in use". kAddressInUse,
  /// and nothing is done, while another service uses it: "listener [::]:11021 is already in use by
  /// another service". After any error it is as before.
  [[nodiscard]] Error Open(PortFactory& factory, const SocketOptions& options);

  /// The listening socket, once after Open.
  OwnedSocket TakeSocket() noexcept;

  /// Ends the use, so that it can be opened again; LocalEndpoint stays. For who opened it.
  void Release() noexcept;

  /// Takes an Open back, for a service that could not be started: it is as before.
  void Revoke() noexcept;

  /// With the port that the system chose; none before Open.
  Endpoint LocalEndpoint() const noexcept;

 private:
  const std::string address_;
  const int port_;

  mutable std::mutex mutex_;
  bool in_use_ = false;
  OwnedSocket socket_;
  Endpoint bound_;
  Endpoint bound_before_;  // what Revoke goes back to
};

}  // namespace netcore
