// What each system offers behind MakePortFactory; exactly one folder below port/ defines it in a
// build.
#pragma once

#include <memory>

#include "netcore/base/error.h"
#include "netcore/base/log.h"
#include "netcore/port/port_factory.h"

namespace netcore {

/// The factory for `backend`; kAuto means the best that works here. A backend of another system is
/// kNotSupported, and the error names it. The factory and its ports share `log`.
[[nodiscard]] Error MakeSystemPortFactory(Backend backend, std::shared_ptr<const Log> log,
                                          std::unique_ptr<PortFactory>& factory);

}  // namespace netcore
