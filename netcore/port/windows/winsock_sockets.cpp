#include "netcore/port/windows/winsock_sockets.h"

#include <cstring>
#include <string>

namespace netcore::windows_port {
namespace {

ErrorCode CodeOf(int system_code) noexcept {
  switch (system_code) {
    case 0:
      return ErrorCode::kNone;
    case WSAEACCES:
    case ERROR_ACCESS_DENIED:
      return ErrorCode::kAccessDenied;
    case WSAEADDRINUSE:
    case ERROR_ADDRESS_ALREADY_ASSOCIATED:
      return ErrorCode::kAddressInUse;
    case WSAEADDRNOTAVAIL:
      return ErrorCode::kAddressNotAvailable;
    case WSA_OPERATION_ABORTED:  // = ERROR_OPERATION_ABORTED
    case ERROR_CANCELLED:
    case ERROR_REQUEST_ABORTED:
    case WSAEINTR:
      return ErrorCode::kCancelled;
    case WSAECONNREFUSED:
    case ERROR_CONNECTION_REFUSED:
    case ERROR_PORT_UNREACHABLE:
      return ErrorCode::kConnectionRefused;
    case WSAECONNRESET:
    case WSAECONNABORTED:  // the connection failed while it was up, not at an accept
    case WSAENETRESET:
    case WSAESHUTDOWN:
    case WSAEDISCON:
    case ERROR_NETNAME_DELETED:
    case ERROR_CONNECTION_ABORTED:
    case ERROR_BROKEN_PIPE:
    case ERROR_PIPE_NOT_CONNECTED:
      return ErrorCode::kConnectionReset;
    case WSAEHOSTUNREACH:
    case WSAEHOSTDOWN:
    case ERROR_HOST_UNREACHABLE:
      return ErrorCode::kHostUnreachable;
    case WSAENETUNREACH:
    case WSAENETDOWN:
    case ERROR_NETWORK_UNREACHABLE:
      return ErrorCode::kNetworkUnreachable;
    case WSAEINVAL:
    case WSAEFAULT:
    case WSAENOTSOCK:
    case WSA_INVALID_HANDLE:     // = ERROR_INVALID_HANDLE
    case WSA_INVALID_PARAMETER:  // = ERROR_INVALID_PARAMETER
      return ErrorCode::kInvalidArgument;
    case WSAENOBUFS:
    case WSAEWOULDBLOCK:         // of an overlapped call: too many of them are under way
    case WSA_NOT_ENOUGH_MEMORY:  // = ERROR_NOT_ENOUGH_MEMORY
    case ERROR_OUTOFMEMORY:
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_WORKING_SET_QUOTA:
    case ERROR_COMMITMENT_LIMIT:
      return ErrorCode::kNoBuffers;
    case WSAENOTCONN:
    case ERROR_CONNECTION_INVALID:
      return ErrorCode::kNotConnected;
    case WSAEAFNOSUPPORT:
    case WSAEPFNOSUPPORT:
    case WSAEPROTONOSUPPORT:
    case WSAESOCKTNOSUPPORT:
    case WSAEOPNOTSUPP:
    case WSAENOPROTOOPT:
    case WSASYSNOTREADY:
    case WSAVERNOTSUPPORTED:
    case ERROR_NOT_SUPPORTED:
      return ErrorCode::kNotSupported;
    case WSAETIMEDOUT:
    case ERROR_SEM_TIMEOUT:
    case WAIT_TIMEOUT:
      return ErrorCode::kTimedOut;
    case WSAEMFILE:
    case ERROR_TOO_MANY_OPEN_FILES:
      return ErrorCode::kTooManyFiles;
    default:
      return ErrorCode::kUnknown;
  }
}

template <typename T>
bool SetOption(SOCKET socket, int level, int name, T value) noexcept {
  return ::setsockopt(socket, level, name, reinterpret_cast<const char*>(&value),
                      static_cast<int>(sizeof(value))) == 0;
}

void SetBufferSizes(SOCKET socket, const SocketOptions& options) noexcept {
  if (options.send_buffer_bytes > 0) {
    SetOption(socket, SOL_SOCKET, SO_SNDBUF, options.send_buffer_bytes);
  }
  if (options.recv_buffer_bytes > 0) {
    SetOption(socket, SOL_SOCKET, SO_RCVBUF, options.recv_buffer_bytes);
  }
}

void CloseOwned(OwnedSocket::Handle handle) noexcept {
  CloseSocket(static_cast<SOCKET>(handle), CloseMode::kAbort);
}

// The steps of Listen for one address. Returns the number of what failed; `step` names it.
int TryListen(const Endpoint& address, const SocketOptions& options, OwnedSocket& socket,
              const char*& step) noexcept {
  sockaddr_storage system_address;
  const int length = ToSockaddr(address, system_address);

  step = "socket";
  const SOCKET handle = NewSocket(SystemFamily(address.GetFamily()));
  if (handle == INVALID_SOCKET) return ::WSAGetLastError();
  OwnedSocket owned = OwnSocket(handle);

  // Windows' SO_REUSEADDR lets two programs hold one port; this is what other systems do unasked.
  if (!SetOption(handle, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, BOOL{TRUE})) return ::WSAGetLastError();
  if (address.GetFamily() == Endpoint::Family::kIpv6) {
    const DWORD ipv6_only = address.IsAny() ? 0 : 1;
    if (!SetOption(handle, IPPROTO_IPV6, IPV6_V6ONLY, ipv6_only)) return ::WSAGetLastError();
  }
  SetBufferSizes(handle, options);

  step = "bind";
  if (::bind(handle, reinterpret_cast<const sockaddr*>(&system_address), length) != 0) {
    return ::WSAGetLastError();
  }
  step = "listen";
  if (::listen(handle, SOMAXCONN) != 0) return ::WSAGetLastError();
  socket = std::move(owned);
  return 0;
}

// A close while received bytes lie unread sends RST, and the peer then loses what it has not read
// yet (RFC 2525 2.17). So they are read first; bounded, for a peer that writes faster than this
// reads gets its RST anyway. The socket does not block: SetOptions sees to that.
void DropUnread(SOCKET socket) noexcept {
  constexpr int kMaxReads = 64;
  char dropped[16 * 1024];
  for (int i = 0; i < kMaxReads; ++i) {
    if (::recv(socket, dropped, static_cast<int>(sizeof dropped), 0) <= 0) return;
  }
}

bool SaysNoIpv6(int system_code) noexcept {
  return system_code == WSAEAFNOSUPPORT || system_code == WSAEPROTONOSUPPORT ||
         system_code == WSAEADDRNOTAVAIL || system_code == WSAENOPROTOOPT;
}

}  // namespace

Error ErrorFromWindows(int system_code) noexcept { return Error(CodeOf(system_code), system_code); }

Error ErrorFromWindows(int system_code, std::string_view where) {
  return Error(CodeOf(system_code), system_code, where);
}

Error ErrorFromAccept(int system_code) noexcept {
  const ErrorCode code = CodeOf(system_code);
  switch (code) {
    case ErrorCode::kConnectionReset:
    case ErrorCode::kNotConnected:
    case ErrorCode::kTimedOut:
      return Error(ErrorCode::kConnectionAborted, system_code);
    default:
      return Error(code, system_code);
  }
}

int SystemFamily(Endpoint::Family family) noexcept {
  switch (family) {
    case Endpoint::Family::kIpv4:
      return AF_INET;
    case Endpoint::Family::kIpv6:
      return AF_INET6;
    case Endpoint::Family::kNone:
      break;
  }
  return AF_UNSPEC;
}

int ToSockaddr(const Endpoint& endpoint, sockaddr_storage& address) noexcept {
  std::memset(&address, 0, sizeof(address));
  if (endpoint.GetFamily() == Endpoint::Family::kIpv4) {
    auto& ipv4 = reinterpret_cast<sockaddr_in&>(address);
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = ::htons(endpoint.Port());
    std::memcpy(&ipv4.sin_addr, endpoint.Bytes().data(), sizeof(ipv4.sin_addr));
    return static_cast<int>(sizeof(ipv4));
  }
  if (endpoint.GetFamily() == Endpoint::Family::kIpv6) {
    auto& ipv6 = reinterpret_cast<sockaddr_in6&>(address);
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = ::htons(endpoint.Port());
    ipv6.sin6_scope_id = endpoint.ScopeId();
    std::memcpy(&ipv6.sin6_addr, endpoint.Bytes().data(), sizeof(ipv6.sin6_addr));
    return static_cast<int>(sizeof(ipv6));
  }
  return 0;
}

Endpoint FromSockaddr(const sockaddr* address, int length) noexcept {
  if (address == nullptr || length < static_cast<int>(sizeof(sockaddr_in))) return {};
  if (address->sa_family == AF_INET) {
    sockaddr_in ipv4;
    std::memcpy(&ipv4, address, sizeof(ipv4));
    Endpoint::Ipv4Bytes bytes;
    std::memcpy(bytes.data(), &ipv4.sin_addr, bytes.size());
    return Endpoint(bytes, ::ntohs(ipv4.sin_port));
  }
  if (address->sa_family == AF_INET6 && length >= static_cast<int>(sizeof(sockaddr_in6))) {
    sockaddr_in6 ipv6;
    std::memcpy(&ipv6, address, sizeof(ipv6));
    Endpoint::Ipv6Bytes bytes;
    std::memcpy(bytes.data(), &ipv6.sin6_addr, bytes.size());
    return Endpoint(bytes, ::ntohs(ipv6.sin6_port), ipv6.sin6_scope_id);
  }
  return {};
}

SOCKET NewSocket(int system_family) noexcept {
  return ::WSASocketW(system_family, SOCK_STREAM, IPPROTO_TCP, nullptr, 0,
                      WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
}

OwnedSocket OwnSocket(SOCKET socket) noexcept {
  return OwnedSocket(static_cast<OwnedSocket::Handle>(socket), &CloseOwned);
}

Error OpenSocket(Endpoint::Family family, OwnedSocket& socket) {
  if (family == Endpoint::Family::kNone) return Error(ErrorCode::kInvalidArgument, 0, "socket");
  const SOCKET handle = NewSocket(SystemFamily(family));
  if (handle == INVALID_SOCKET) return ErrorFromWindows(::WSAGetLastError(), "socket");
  socket = OwnSocket(handle);
  return {};
}

Error ListenSocket(const Endpoint& address, const SocketOptions& options, OwnedSocket& socket,
                   Endpoint& bound) {
  if (address.GetFamily() == Endpoint::Family::kNone) {
    return Error(ErrorCode::kInvalidArgument, 0, "listen none");
  }
  Endpoint tried = address;
  const char* step = "";
  OwnedSocket opened;
  int system_code = TryListen(tried, options, opened, step);
  if (SaysNoIpv6(system_code) && tried.GetFamily() == Endpoint::Family::kIpv6 && tried.IsAny()) {
    tried = Endpoint::AnyIpv4(address.Port());
    system_code = TryListen(tried, options, opened, step);
  }
  if (system_code != 0) {
    const std::string where = std::string(step) + ' ' + tried.ToString();
    // No port needs a right here. This is what Windows says where another socket holds the port
    // exclusively (Wine says it always then), or where the port is set aside for somebody.
    if (system_code == WSAEACCES) return Error(ErrorCode::kAddressInUse, system_code, where);
    return ErrorFromWindows(system_code, where);
  }
  bound = LocalEndpointOf(static_cast<SOCKET>(opened.Get()));
  socket = std::move(opened);
  return {};
}

void SetOptions(SOCKET socket, const SocketOptions& options) noexcept {
  u_long non_blocking = 1;
  ::ioctlsocket(socket, static_cast<long>(FIONBIO), &non_blocking);
  if (options.no_delay) SetOption(socket, IPPROTO_TCP, TCP_NODELAY, BOOL{TRUE});
  SetBufferSizes(socket, options);
}

SocketTraits TraitsOf(SOCKET socket) noexcept {
  WSAPROTOCOL_INFOW info;
  int length = static_cast<int>(sizeof(info));
  if (::getsockopt(socket, SOL_SOCKET, SO_PROTOCOL_INFOW, reinterpret_cast<char*>(&info),
                   &length) != 0) {
    return {};
  }
  return {info.iAddressFamily, (info.dwServiceFlags1 & XP1_IFS_HANDLES) != 0};
}

Endpoint LocalEndpointOf(SOCKET socket) noexcept {
  sockaddr_storage address;
  int length = static_cast<int>(sizeof(address));
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return FromSockaddr(reinterpret_cast<const sockaddr*>(&address), length);
}

Endpoint PeerEndpointOf(SOCKET socket) noexcept {
  sockaddr_storage address;
  int length = static_cast<int>(sizeof(address));
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return FromSockaddr(reinterpret_cast<const sockaddr*>(&address), length);
}

int RecvReadinessOf(SOCKET socket) noexcept {
  WSAPOLLFD asked{socket, POLLRDNORM, 0};
  return ::WSAPoll(&asked, 1, 0) == 1 ? asked.revents : 0;
}

void CloseSocket(SOCKET socket, CloseMode mode) noexcept {
  if (mode == CloseMode::kAbort) {
    const linger reset{1, 0};
    SetOption(socket, SOL_SOCKET, SO_LINGER, reset);
  } else {
    DropUnread(socket);
  }
  ::closesocket(socket);
}

}  // namespace netcore::windows_port
