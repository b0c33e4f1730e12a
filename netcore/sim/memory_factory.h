// MemoryFactory: a backend like the others, on a MemoryNet.
#pragma once

#include <memory>
#include <string_view>

#include "netcore/port/port_factory.h"
#include "netcore/sim/memory_net.h"

namespace netcore {

/// Owns: a share in its net; several factories may have the same one. Threads: its net's one.
class MemoryFactory final : public PortFactory {
 public:
  explicit MemoryFactory(std::shared_ptr<MemoryNet> net = std::make_shared<MemoryNet>()) noexcept;

  const std::shared_ptr<MemoryNet>& Net() const noexcept { return net_; }

  std::string_view Name() const noexcept override { return "memory"; }
  [[nodiscard]] Error MakePort(std::unique_ptr<CompletionPort>& port) override;
  [[nodiscard]] Error Listen(const Endpoint& address, const SocketOptions& options,
                             OwnedSocket& socket, Endpoint& bound) override;
  [[nodiscard]] Error OpenSocket(Endpoint::Family family, OwnedSocket& socket) override;

 private:
  std::shared_ptr<MemoryNet> net_;
};

}  // namespace netcore
