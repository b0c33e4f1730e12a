// What epoll and io_uring share: sockets, addresses and errno. Knows no port.
#include "netcore/port/linux/linux_sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace netcore::linux_port {
namespace {

ErrorCode CodeFromErrno(int system_code) noexcept {
  switch (system_code) {
    case 0:
      return ErrorCode::kNone;
    case EPIPE:
    case ECONNRESET:
      return ErrorCode::kConnectionReset;
    case ECONNABORTED:
      return ErrorCode::kConnectionAborted;
    case ECONNREFUSED:
      return ErrorCode::kConnectionRefused;
    case ETIMEDOUT:
      return ErrorCode::kTimedOut;
    case EHOSTUNREACH:
      return ErrorCode::kHostUnreachable;
    case ENETUNREACH:
    case ENETDOWN:
      return ErrorCode::kNetworkUnreachable;
    case EADDRINUSE:
      return ErrorCode::kAddressInUse;
    case EADDRNOTAVAIL:
      return ErrorCode::kAddressNotAvailable;
    case EACCES:
    case EPERM:
      return ErrorCode::kAccessDenied;
    case EMFILE:
    case ENFILE:
      return ErrorCode::kTooManyFiles;
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:  // epoll: fs.epoll.max_user_watches
      return ErrorCode::kNoBuffers;
    case ECANCELED:
      return ErrorCode::kCancelled;
    case ENOTCONN:
      return ErrorCode::kNotConnected;
    case EINVAL:
      return ErrorCode::kInvalidArgument;
    case EOPNOTSUPP:
    case ENOSYS:
    case EAFNOSUPPORT:
      return ErrorCode::kNotSupported;
    default:
      return ErrorCode::kUnknown;
  }
}

void SetInt(int descriptor, int level, int option, int value) noexcept {
  static_cast<void>(::setsockopt(descriptor, level, option, &value, sizeof value));
}

void SetBufferSizes(int descriptor, const SocketOptions& options) noexcept {
  if (options.send_buffer_bytes > 0)
    SetInt(descriptor, SOL_SOCKET, SO_SNDBUF, options.send_buffer_bytes);
  if (options.recv_buffer_bytes > 0)
    SetInt(descriptor, SOL_SOCKET, SO_RCVBUF, options.recv_buffer_bytes);
}

int OpenStream(int family) noexcept {
  return ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
}

int SystemFamily(Endpoint::Family family) noexcept {
  return family == Endpoint::Family::kIpv6 ? AF_INET6 : AF_INET;
}

Error ListenOn(const Endpoint& address, const SocketOptions& options, OwnedSocket& socket,
               Endpoint& bound) {
  const int descriptor = OpenStream(SystemFamily(address.GetFamily()));
  if (descriptor < 0) return ErrorFromErrno(errno, "socket " + address.ToString());
  OwnedSocket opened = OwnDescriptor(descriptor);

  SetInt(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.GetFamily() == Endpoint::Family::kIpv6 && address.IsAny())
    SetInt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  SetBufferSizes(descriptor, options);

  sockaddr_storage storage;
  const socklen_t length = ToSockaddr(address, storage);
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&storage), length) != 0)
    return ErrorFromErrno(errno, "bind " + address.ToString());
  if (::listen(descriptor, SOMAXCONN) != 0)
    return ErrorFromErrno(errno, "listen " + address.ToString());

  bound = LocalEndpointOf(descriptor);
  socket = std::move(opened);
  return {};
}

void CloseWithReset(OwnedSocket::Handle handle) noexcept {
  CloseDescriptor(static_cast<int>(handle), CloseMode::kAbort);
}

// A close while received bytes lie unread sends RST, and the peer then loses what it has not read
// yet (RFC 2525 2.17, tcp_close in Linux). So they are read first; bounded, for a peer that writes
// faster than this reads gets its RST anyway.
void DropUnread(int descriptor) noexcept {
  constexpr int kMaxReads = 64;
  char dropped[16 * 1024];
  for (int i = 0; i < kMaxReads; ++i)
    if (::recv(descriptor, dropped, sizeof dropped, MSG_DONTWAIT) <= 0) return;
}

}  // namespace

Error ErrorFromErrno(int system_code) noexcept {
  return Error(CodeFromErrno(system_code), system_code);
}

Error ErrorFromErrno(int system_code, std::string_view where) {
  return Error(CodeFromErrno(system_code), system_code, where);
}

socklen_t ToSockaddr(const Endpoint& endpoint, sockaddr_storage& address) noexcept {
  std::memset(&address, 0, sizeof address);
  if (endpoint.GetFamily() == Endpoint::Family::kIpv6) {
    sockaddr_in6 ipv6{};
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(endpoint.Port());
    ipv6.sin6_scope_id = endpoint.ScopeId();
    std::memcpy(&ipv6.sin6_addr, endpoint.Bytes().data(), sizeof ipv6.sin6_addr);
    std::memcpy(&address, &ipv6, sizeof ipv6);
    return sizeof ipv6;
  }
  sockaddr_in ipv4{};
  ipv4.sin_family = AF_INET;
  ipv4.sin_port = htons(endpoint.Port());
  std::memcpy(&ipv4.sin_addr, endpoint.Bytes().data(), sizeof ipv4.sin_addr);
  std::memcpy(&address, &ipv4, sizeof ipv4);
  return sizeof ipv4;
}

Endpoint FromSockaddr(const sockaddr_storage& address) noexcept {
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 ipv6;
    std::memcpy(&ipv6, &address, sizeof ipv6);
    Endpoint::Ipv6Bytes bytes;
    std::memcpy(bytes.data(), &ipv6.sin6_addr, bytes.size());
    return Endpoint(bytes, ntohs(ipv6.sin6_port), ipv6.sin6_scope_id);
  }
  if (address.ss_family == AF_INET) {
    sockaddr_in ipv4;
    std::memcpy(&ipv4, &address, sizeof ipv4);
    Endpoint::Ipv4Bytes bytes;
    std::memcpy(bytes.data(), &ipv4.sin_addr, bytes.size());
    return Endpoint(bytes, ntohs(ipv4.sin_port));
  }
  return {};
}

Error ListenSocket(const Endpoint& address, const SocketOptions& options, OwnedSocket& socket,
                   Endpoint& bound) {
  if (address.GetFamily() == Endpoint::Family::kNone)
    return Error(ErrorCode::kInvalidArgument, 0, "listen none");
  const Error error = ListenOn(address, options, socket, bound);
  // A kernel without IPv6 has no such sockets, or no such address.
  const bool without_ipv6 =
      error.SystemCode() == EAFNOSUPPORT || error.SystemCode() == EADDRNOTAVAIL;
  if (without_ipv6 && address.GetFamily() == Endpoint::Family::kIpv6 && address.IsAny())
    return ListenOn(Endpoint::AnyIpv4(address.Port()), options, socket, bound);
  return error;
}

Error OpenSocket(Endpoint::Family family, OwnedSocket& socket) {
  if (family == Endpoint::Family::kNone) return Error(ErrorCode::kInvalidArgument, 0, "socket");
  const int descriptor = OpenStream(SystemFamily(family));
  if (descriptor < 0) return ErrorFromErrno(errno, "socket");
  socket = OwnDescriptor(descriptor);
  return {};
}

OwnedSocket OwnDescriptor(int descriptor) noexcept {
  return OwnedSocket(descriptor, &CloseWithReset);
}

void SetOptions(int descriptor, const SocketOptions& options) noexcept {
  if (options.no_delay) SetInt(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  SetBufferSizes(descriptor, options);
}

Endpoint LocalEndpointOf(int descriptor) noexcept {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return FromSockaddr(address);
}

int PeerEndpointOf(int descriptor, Endpoint& peer) noexcept {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) return errno;
  peer = FromSockaddr(address);
  return 0;
}

AcceptFault AcceptFaultOf(int system_code) noexcept {
  switch (system_code) {
    case 0:
    case EINTR:
    case EAGAIN:
    case ECANCELED:
      return AcceptFault::kNone;
    case ECONNABORTED:
    case ECONNRESET:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENETUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case ENOTCONN:
    case EOPNOTSUPP:
    case EPIPE:
    case EPROTO:
    case ETIMEDOUT:
      return AcceptFault::kPeer;
    default:
      return AcceptFault::kOther;
  }
}

bool IsReadyNow(int descriptor, Direction direction) noexcept {
  const int in = POLLIN | POLLRDHUP;
  pollfd asked{descriptor, static_cast<short>(direction == Direction::kIn ? in : POLLOUT), 0};
  return ::poll(&asked, 1, 0) > 0;
}

void CloseDescriptor(int descriptor, CloseMode mode) noexcept {
  if (mode == CloseMode::kAbort) {
    const linger reset{1, 0};
    static_cast<void>(::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof reset));
  } else {
    DropUnread(descriptor);
  }
  // Not again after EINTR: Linux has freed the number by then, and it may be another's already.
  static_cast<void>(::close(descriptor));
}

}  // namespace netcore::linux_port
