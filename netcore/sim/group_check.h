// GroupCheck: whether a manager's groups hold sessions that live, and nobody else.
#pragma once

#include <string>

#include "netcore/session/session_manager.h"

namespace netcore {

/// Threads: while no other thread uses the manager, and no worker is in a round.
class GroupCheck {
 public:
  /// What is wrong; empty when all is well. Throws std::bad_alloc.
  static std::string Violation(const SessionManager& manager);
};

}  // namespace netcore
