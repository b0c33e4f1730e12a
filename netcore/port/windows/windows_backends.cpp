// What MakePortFactory finds on Windows: IOCP alone.
#include <memory>
#include <string>

#include "netcore/port/system_backends.h"
#include "netcore/port/windows/iocp_factory.h"

namespace netcore {

Error MakeSystemPortFactory(Backend backend, std::shared_ptr<const Log>,
                            std::unique_ptr<PortFactory>& factory) {
  if (backend == Backend::kAuto || backend == Backend::kIocp) return IocpFactory::Make(factory);
  return Error(ErrorCode::kNotSupported, 0, "backend " + std::string(ToString(backend)));
}

}  // namespace netcore
