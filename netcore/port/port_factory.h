// PortFactory: what of the seam belongs to no thread: which backend it is, its ports, and sockets
// that no port owns yet.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "netcore/base/endpoint.h"
#include "netcore/base/error.h"
#include "netcore/base/log.h"
#include "netcore/port/completion_port.h"
#include "netcore/port/owned_socket.h"

namespace netcore {

enum class Backend : std::uint8_t { kAuto, kIocp, kIoUring, kEpoll };

/// "auto", "iocp", "io_uring", "epoll".
std::string_view ToString(Backend backend) noexcept;

/// Reads what ToString writes. Returns kInvalidArgument, naming the text, for anything else.
[[nodiscard]] Error ParseBackend(std::string_view text, Backend& backend);

/// Lifetime: outlives the ports that it made and the sockets that it opened. Threads: any.
class PortFactory {
 public:
  PortFactory() = default;
  PortFactory(const PortFactory&) = delete;
  PortFactory& operator=(const PortFactory&) = delete;
  virtual ~PortFactory() = default;

  /// "iocp", "io_uring", "epoll" or "memory".
  virtual std::string_view Name() const noexcept = 0;

  /// Creates the real thing, with all that it takes from the system, so that a refusal shows here.
  [[nodiscard]] virtual Error MakePort(std::unique_ptr<CompletionPort>& port) = 0;

  /// The factory to make all ports with if the system refuses this one a port: the limit may be one
  /// that only the n-th port meets. Null if there is none, as with a backend that was asked for by
  /// name. Sockets that this factory opened work with its ports too.
  virtual std::shared_ptr<PortFactory> Fallback() const { return nullptr; }

  /// A socket that listens on `address` ([::] means IPv4 too, and IPv4 alone where there is no
  /// IPv6), with the system's longest backlog; `bound` gets the address with its real port. Errors
  /// read "bind 0.0.0.0:11021: ...". Of `options` the buffer sizes count, which its connections
  /// inherit.
  [[nodiscard]] virtual Error Listen(const Endpoint& address, const SocketOptions& options,
                                     OwnedSocket& socket, Endpoint& bound) = 0;

  /// A socket to connect with.
  [[nodiscard]] virtual Error OpenSocket(Endpoint::Family family, OwnedSocket& socket) = 0;
};

/// The factory for `backend`. kAuto means NETCORE_BACKEND where that is set (an unknown word in it
/// is an error), and otherwise the best that works here, with a line in `log` for each that was
/// tried and refused. The factory and its ports share `log`.
[[nodiscard]] Error MakePortFactory(Backend backend, std::shared_ptr<const Log> log,
                                    std::unique_ptr<PortFactory>& factory);

}  // namespace netcore
