// IoUringFactory: the io_uring backend. Knows how ports and sockets come to be, not what they do.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "netcore/base/log.h"
#include "netcore/port/linux/io_uring_port.h"
#include "netcore/port/port_factory.h"

namespace netcore::linux_port {

/// Owns: a share in the log. Lifetime: see PortFactory. Threads: any.
class IoUringFactory final : public PortFactory {
 public:
  /// Whether the caller asked for io_uring, or for the best backend.
  enum class Choice : std::uint8_t {
    kByName,  // a refused port is an error
    kBest,    // a refused port makes epoll serve all ports, see Fallback
  };

  /// Without a probe. `script`: null, or a test's, which outlives the factory and its ports.
  explicit IoUringFactory(std::shared_ptr<const Log> log, Choice choice = Choice::kByName,
                          const IoUringSizes& sizes = {}, IoUringScript* script = nullptr) noexcept
      : log_(std::move(log)), choice_(choice), sizes_(sizes), script_(script) {}

  /// Creates a ring and receives through it, to find out whether io_uring works here. An error says
  /// why not: no permission, no memory, or a kernel without it or older than 6.0.
  [[nodiscard]] static Error Create(std::shared_ptr<const Log> log, Choice choice,
                                    std::unique_ptr<PortFactory>& factory);

  std::string_view Name() const noexcept override { return "io_uring"; }
  [[nodiscard]] Error MakePort(std::unique_ptr<CompletionPort>& port) override;
  std::shared_ptr<PortFactory> Fallback() const override;
  [[nodiscard]] Error Listen(const Endpoint& address, const SocketOptions& options,
                             OwnedSocket& socket, Endpoint& bound) override;
  [[nodiscard]] Error OpenSocket(Endpoint::Family family, OwnedSocket& socket) override;

 private:
  const std::shared_ptr<const Log> log_;
  const Choice choice_;
  const IoUringSizes sizes_;
  IoUringScript* const script_;
};

}  // namespace netcore::linux_port
