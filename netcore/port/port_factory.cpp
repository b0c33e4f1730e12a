// Chooses the backend: an explicit one beats NETCORE_BACKEND beats what the system offers. Knows
// the names, not what is behind them.
#include "netcore/port/port_factory.h"

#include <array>
#include <cstdlib>
#include <string>
#include <utility>

#include "netcore/port/system_backends.h"

namespace netcore {
namespace {

constexpr const char* kVariable = "NETCORE_BACKEND";

constexpr std::array kBackends = {Backend::kAuto, Backend::kIocp, Backend::kIoUring,
                                  Backend::kEpoll};

// Empty counts as not set, as it does for most programs' variables.
const char* RequestedBackend() noexcept {
  const char* text = std::getenv(kVariable);
  return text != nullptr && *text != '\0' ? text : nullptr;
}

}  // namespace

std::string_view ToString(Backend backend) noexcept {
  switch (backend) {
    case Backend::kAuto:
      return "auto";
    case Backend::kIocp:
      return "iocp";
    case Backend::kIoUring:
      return "io_uring";
    case Backend::kEpoll:
      return "epoll";
  }
  return "unknown";
}

Error ParseBackend(std::string_view text, Backend& backend) {
  for (const Backend candidate : kBackends) {
    if (text != ToString(candidate)) continue;
    backend = candidate;
    return {};
  }
  return Error(ErrorCode::kInvalidArgument, 0,
               "backend \"" + std::string(text) + "\" is none of auto, iocp, io_uring, epoll");
}

Error MakePortFactory(Backend backend, std::shared_ptr<const Log> log,
                      std::unique_ptr<PortFactory>& factory) {
  const char* requested = backend == Backend::kAuto ? RequestedBackend() : nullptr;
  if (requested == nullptr) return MakeSystemPortFactory(backend, std::move(log), factory);

  Error error = ParseBackend(requested, backend);
  if (!error) error = MakeSystemPortFactory(backend, std::move(log), factory);
  return error ? error.At(kVariable) : error;
}

}  // namespace netcore
