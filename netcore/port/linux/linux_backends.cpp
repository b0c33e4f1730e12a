// The backends of Linux: io_uring, and epoll where io_uring is not to be had.
#include <string>

#include "netcore/port/linux/epoll_factory.h"
#include "netcore/port/linux/io_uring_factory.h"
#include "netcore/port/system_backends.h"

namespace netcore {
namespace {

Error MakeBest(const Log& log, std::unique_ptr<PortFactory>& factory) {
  const Error refused = linux_port::IoUringFactory::Create(log, factory);
  if (!refused) return {};
  if (log.Enabled(LogLevel::kInfo)) {
    log.Write(LogLevel::kInfo, "backend io_uring refused (" + refused.Message() + "), using epoll");
  }
  factory = std::make_unique<linux_port::EpollFactory>();
  return {};
}

}  // namespace

Error MakeSystemPortFactory(Backend backend, const Log& log,
                            std::unique_ptr<PortFactory>& factory) {
  switch (backend) {
    case Backend::kAuto:
      return MakeBest(log, factory);
    case Backend::kIoUring:
      return linux_port::IoUringFactory::Create(log, factory);
    case Backend::kEpoll:
      factory = std::make_unique<linux_port::EpollFactory>();
      return {};
    case Backend::kIocp:
      break;
  }
  return Error(ErrorCode::kNotSupported, 0, "backend " + std::string(ToString(backend)));
}

}  // namespace netcore
