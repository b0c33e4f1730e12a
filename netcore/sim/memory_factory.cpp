#include "netcore/sim/memory_factory.h"

#include <utility>

#include "netcore/sim/memory_port.h"
#include "netcore/sim/memory_socket.h"

namespace netcore {

MemoryFactory::MemoryFactory(std::shared_ptr<MemoryNet> net) noexcept : net_(std::move(net)) {}

Error MemoryFactory::MakePort(std::unique_ptr<CompletionPort>& port) {
  port = std::make_unique<MemoryPort>(net_);
  return {};
}

Error MemoryFactory::Listen(const Endpoint& address, const SocketOptions& options,
                            OwnedSocket& socket, Endpoint& bound) {
  const SimOwnWork own(net_->Control());
  auto listener = std::make_unique<MemorySocket>(net_, address.GetFamily());
  listener->SetOptions(options);
  if (Error error = listener->Listen(address)) return error;
  bound = listener->Local();
  socket = MemorySocket::ToOwned(std::move(listener));
  return {};
}

Error MemoryFactory::OpenSocket(Endpoint::Family family, OwnedSocket& socket) {
  if (family == Endpoint::Family::kNone)
    return Error(ErrorCode::kInvalidArgument, 0, "open socket");
  const SimOwnWork own(net_->Control());
  socket = MemorySocket::ToOwned(std::make_unique<MemorySocket>(net_, family));
  return {};
}

}  // namespace netcore
