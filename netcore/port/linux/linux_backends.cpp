// The backends of Linux: io_uring, and epoll where io_uring is unavailable.
#include <string>
#include <utility>

#include "netcore/port/linux/epoll_factory.h"
#include "netcore/port/linux/io_uring_factory.h"
#include "netcore/port/system_backends.h"

namespace netcore {
namespace {

using linux_port::EpollFactory;
using linux_port::IoUringFactory;

Error MakeBest(const std::shared_ptr<const Log>& log, std::unique_ptr<PortFactory>& factory) {
  const Error refused = IoUringFactory::Create(log, IoUringFactory::Choice::kBest, factory);
  if (!refused) return {};
  // A limit can be raised; a system that has no io_uring, or does not permit it, is as it is.
  const bool is_limit = refused == ErrorCode::kNoBuffers || refused == ErrorCode::kTooManyFiles;
  const LogLevel level = is_limit ? LogLevel::kWarning : LogLevel::kInfo;
  if (log->Enabled(level)) {
    log->Write(level, "backend io_uring refused (" + refused.Message() + "), using epoll");
  }
  factory = std::make_unique<EpollFactory>();
  return {};
}

}  // namespace

Error MakeSystemPortFactory(Backend backend, std::shared_ptr<const Log> log,
                            std::unique_ptr<PortFactory>& factory) {
  switch (backend) {
    case Backend::kAuto:
      return MakeBest(log, factory);
    case Backend::kIoUring:
      return IoUringFactory::Create(std::move(log), IoUringFactory::Choice::kByName, factory);
    case Backend::kEpoll:
      factory = std::make_unique<EpollFactory>();
      return {};
    case Backend::kIocp:
      break;
  }
  return Error(ErrorCode::kNotSupported, 0, "backend " + std::string(ToString(backend)));
}

}  // namespace netcore
