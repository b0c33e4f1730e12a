// IoUringFactory: the io_uring backend. Knows how ports and sockets come to be, not what they do.
#pragma once

#include <memory>
#include <string_view>

#include "netcore/base/log.h"
#include "netcore/port/linux/io_uring_port.h"
#include "netcore/port/port_factory.h"

namespace netcore::linux_port {

/// Owns: nothing. Lifetime: see PortFactory. Threads: any.
class IoUringFactory final : public PortFactory {
 public:
  explicit IoUringFactory(const IoUringSizes& sizes = {}) noexcept : sizes_(sizes) {}

  /// Finds out, by creating a ring and receiving through it, whether io_uring can be had here. An
  /// error says why not: no permission, no memory, or a kernel without it or older than 6.0.
  [[nodiscard]] static Error Create(const Log& log, std::unique_ptr<PortFactory>& factory);

  std::string_view Name() const noexcept override { return "io_uring"; }
  [[nodiscard]] Error MakePort(std::unique_ptr<CompletionPort>& port) override;
  [[nodiscard]] Error Listen(const Endpoint& address, const SocketOptions& options,
                             OwnedSocket& socket, Endpoint& bound) override;
  [[nodiscard]] Error OpenSocket(Endpoint::Family family, OwnedSocket& socket) override;

 private:
  const IoUringSizes sizes_;
};

}  // namespace netcore::linux_port
