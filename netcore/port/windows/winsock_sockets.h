// What IocpPort and IocpFactory share: sockets, addresses and Windows' error numbers. Knows no
// port.
#pragma once

#include <string_view>

#include "netcore/base/endpoint.h"
#include "netcore/base/error.h"
#include "netcore/port/completion_port.h"
#include "netcore/port/owned_socket.h"
#include "netcore/port/windows/windows_headers.h"

namespace netcore::windows_port {

/// Translates a Winsock or Windows error number; 0 is no error. A peer's reset is kConnectionReset
/// by whichever of its numbers it was told.
Error ErrorFromWindows(int system_code) noexcept;
Error ErrorFromWindows(int system_code, std::string_view where);

/// Translates the error of a failed AcceptEx. A reset, a time-out or a socket that is not connected
/// means that the peer was gone before its connection was accepted (kConnectionAborted). The others
/// are not documented as a connection's own: they may be the system's.
Error ErrorFromAccept(int system_code) noexcept;

/// Writes `endpoint` as a system address and returns its length, 0 for no address.
int ToSockaddr(const Endpoint& endpoint, sockaddr_storage& address) noexcept;
Endpoint FromSockaddr(const sockaddr* address, int length) noexcept;
int SystemFamily(Endpoint::Family family) noexcept;

/// PortFactory's verbs.
[[nodiscard]] Error ListenSocket(const Endpoint& address, const SocketOptions& options,
                                 OwnedSocket& socket, Endpoint& bound);
[[nodiscard]] Error OpenSocket(Endpoint::Family family, OwnedSocket& socket);

/// A TCP socket for overlapped use that no child process inherits, or INVALID_SOCKET.
SOCKET NewSocket(int system_family) noexcept;
OwnedSocket OwnSocket(SOCKET socket) noexcept;

/// Makes plain (not overlapped) calls return at once, and sets what a connection needs; a refusal
/// is not worth ending it for.
void SetOptions(SOCKET socket, const SocketOptions& options) noexcept;

/// What its provider says of a socket.
struct SocketTraits {
  int family = AF_UNSPEC;  // AF_INET or AF_INET6; AF_UNSPEC if the provider does not tell
  // XP1_IFS_HANDLES: the socket is the system's own handle, and not one that a layered provider
  // made up. Only there a completion port may be told to skip packets.
  bool is_system_handle = false;
};
SocketTraits TraitsOf(SOCKET socket) noexcept;

Endpoint LocalEndpointOf(SOCKET socket) noexcept;
Endpoint PeerEndpointOf(SOCKET socket) noexcept;

/// What a poll for reading says now (POLLRDNORM, POLLERR, POLLHUP); 0 when a recv would be blocked.
int RecvReadinessOf(SOCKET socket) noexcept;

void CloseSocket(SOCKET socket, CloseMode mode) noexcept;

}  // namespace netcore::windows_port
