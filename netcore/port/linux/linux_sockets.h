// What epoll and io_uring share: sockets, addresses and errno. Knows no port.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string_view>

#include "netcore/base/endpoint.h"
#include "netcore/base/error.h"
#include "netcore/port/completion_port.h"
#include "netcore/port/owned_socket.h"

namespace netcore::linux_port {

/// Translates errno; 0 is no error.
Error ErrorFromErrno(int system_code) noexcept;
Error ErrorFromErrno(int system_code, std::string_view where);

/// Writes `endpoint` as a system address and returns its length.
socklen_t ToSockaddr(const Endpoint& endpoint, sockaddr_storage& address) noexcept;
Endpoint FromSockaddr(const sockaddr_storage& address) noexcept;

/// PortFactory's verbs, the same for both backends.
[[nodiscard]] Error ListenSocket(const Endpoint& address, const SocketOptions& options,
                                 OwnedSocket& socket, Endpoint& bound);
[[nodiscard]] Error OpenSocket(Endpoint::Family family, OwnedSocket& socket);

/// An accepted descriptor as a socket that closes itself.
OwnedSocket OwnDescriptor(int descriptor) noexcept;

/// Sets what a connection needs; a refusal is not worth ending it for.
void SetOptions(int descriptor, const SocketOptions& options) noexcept;

Endpoint LocalEndpointOf(int descriptor) noexcept;

/// Asks for the peer of a connected descriptor. Returns 0 or errno. ENOTCONN: the peer has reset
/// the connection.
int PeerEndpointOf(int descriptor, Endpoint& peer) noexcept;

/// Whose fault a failed accept is.
enum class AcceptFault : std::uint8_t {
  kNone,   // the call was interrupted or cancelled, or found no connection
  kPeer,   // the connection that was next failed, and the call has used it up
  kOther,  // a resource is short, or the listening socket itself fails
};

/// Classifies the errno of accept(2), whose page lists under "Error handling" what belongs to the
/// new connection. EPERM and EACCES do not: a security module refuses before the connection leaves
/// the backlog, so the next call would meet it again.
AcceptFault AcceptFaultOf(int system_code) noexcept;

enum class Direction : std::uint8_t { kIn, kOut };

/// True when a recv or an accept, or else a send, would not be blocked now, or would fail.
bool IsReadyNow(int descriptor, Direction direction) noexcept;

void CloseDescriptor(int descriptor, CloseMode mode) noexcept;

}  // namespace netcore::linux_port
