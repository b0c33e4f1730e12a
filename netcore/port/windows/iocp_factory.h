// IocpFactory: the "iocp" backend: its ports, and sockets that no port owns yet.
#pragma once

#include <memory>
#include <string_view>

#include "netcore/port/port_factory.h"
#include "netcore/port/windows/winsock_runtime.h"

namespace netcore {

/// Owns: a share in Winsock's being started. Lifetime: outlives its ports and sockets.
/// Threads: any.
class IocpFactory final : public PortFactory {
 public:
  [[nodiscard]] static Error Make(std::unique_ptr<PortFactory>& factory);

  std::string_view Name() const noexcept override { return "iocp"; }
  Error MakePort(std::unique_ptr<CompletionPort>& port) override;
  Error Listen(const Endpoint& address, const SocketOptions& options, OwnedSocket& socket,
               Endpoint& bound) override;
  Error OpenSocket(Endpoint::Family family, OwnedSocket& socket) override;

 private:
  explicit IocpFactory(std::unique_ptr<windows_port::WinsockRuntime> runtime) noexcept;

  std::unique_ptr<windows_port::WinsockRuntime> runtime_;
};

}  // namespace netcore
