// EpollFactory: the epoll backend. Knows how ports and sockets come to be, not what they do.
#pragma once

#include <memory>
#include <string_view>

#include "netcore/port/port_factory.h"

namespace netcore::linux_port {

/// Owns: nothing. Lifetime: see PortFactory. Threads: any.
class EpollFactory final : public PortFactory {
 public:
  std::string_view Name() const noexcept override { return "epoll"; }
  [[nodiscard]] Error MakePort(std::unique_ptr<CompletionPort>& port) override;
  [[nodiscard]] Error Listen(const Endpoint& address, const SocketOptions& options,
                             OwnedSocket& socket, Endpoint& bound) override;
  [[nodiscard]] Error OpenSocket(Endpoint::Family family, OwnedSocket& socket) override;
};

}  // namespace netcore::linux_port
