// WinsockRuntime: that Winsock is started, and the functions that it hands out only at run time.
#pragma once

#include <memory>

#include "netcore/base/error.h"
#include "netcore/port/windows/windows_headers.h"

namespace netcore::windows_port {

/// Functions that each provider has its own of.
struct WinsockExtensions {
  LPFN_ACCEPTEX accept_ex = nullptr;
  LPFN_CONNECTEX connect_ex = nullptr;
  LPFN_GETACCEPTEXSOCKADDRS get_accept_ex_sockaddrs = nullptr;
};

/// Owns: one count of WSAStartup, which counts for the process: Winsock is started by the first
/// runtime and released by the last. Lifetime: outlives every socket made under it. Threads: any.
class WinsockRuntime {
 public:
  [[nodiscard]] static Error Start(std::unique_ptr<WinsockRuntime>& runtime);
  WinsockRuntime(const WinsockRuntime&) = delete;
  WinsockRuntime& operator=(const WinsockRuntime&) = delete;
  ~WinsockRuntime();

  /// For sockets of AF_INET or AF_INET6.
  const WinsockExtensions& Extensions(int system_family) const noexcept;

 private:
  WinsockRuntime() = default;

  bool started_ = false;
  WinsockExtensions ipv4_;
  WinsockExtensions ipv6_;  // those of IPv4 where there is no IPv6
};

}  // namespace netcore::windows_port
