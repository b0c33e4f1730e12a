#include "netcore/port/windows/winsock_runtime.h"

#include "netcore/port/windows/winsock_sockets.h"

namespace netcore::windows_port {
namespace {

template <typename Function>
bool LoadExtension(SOCKET socket, GUID id, Function& function) noexcept {
  DWORD bytes = 0;
  return ::WSAIoctl(socket, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof(id), &function,
                    sizeof(function), &bytes, nullptr, nullptr) == 0;
}

int LoadExtensions(int system_family, WinsockExtensions& extensions) noexcept {
  const SOCKET handle = NewSocket(system_family);
  if (handle == INVALID_SOCKET) return ::WSAGetLastError();
  const OwnedSocket socket = OwnSocket(handle);
  WinsockExtensions loaded;
  if (!LoadExtension(handle, WSAID_ACCEPTEX, loaded.accept_ex) ||
      !LoadExtension(handle, WSAID_CONNECTEX, loaded.connect_ex) ||
      !LoadExtension(handle, WSAID_GETACCEPTEXSOCKADDRS, loaded.get_accept_ex_sockaddrs)) {
    return ::WSAGetLastError();
  }
  extensions = loaded;
  return 0;
}

}  // namespace

Error WinsockRuntime::Start(std::unique_ptr<WinsockRuntime>& runtime) {
  std::unique_ptr<WinsockRuntime> started(new WinsockRuntime);
  WSADATA data;
  if (const int system_code = ::WSAStartup(MAKEWORD(2, 2), &data); system_code != 0) {
    return ErrorFromWindows(system_code, "start Winsock");
  }
  started->started_ = true;
  const int ipv4_code = LoadExtensions(AF_INET, started->ipv4_);
  const int ipv6_code = LoadExtensions(AF_INET6, started->ipv6_);
  if (ipv4_code != 0 && ipv6_code != 0) return ErrorFromWindows(ipv4_code, "find AcceptEx");
  if (ipv4_code != 0) started->ipv4_ = started->ipv6_;
  if (ipv6_code != 0) started->ipv6_ = started->ipv4_;
  runtime = std::move(started);
  return {};
}

WinsockRuntime::~WinsockRuntime() {
  if (started_) ::WSACleanup();
}

const WinsockExtensions& WinsockRuntime::Extensions(int system_family) const noexcept {
  return system_family == AF_INET6 ? ipv6_ : ipv4_;
}

}  // namespace netcore::windows_port
