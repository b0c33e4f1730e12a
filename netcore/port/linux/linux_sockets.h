// What epoll and io_uring share: sockets, addresses and errno. Knows no port.
#pragma once

#include <sys/socket.h>

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

/// The peer of an accepted descriptor. False with ENOTCONN: aborted before it was accepted.
bool PeerEndpointOf(int descriptor, Endpoint& peer) noexcept;

void CloseDescriptor(int descriptor, CloseMode mode) noexcept;

}  // namespace netcore::linux_port
