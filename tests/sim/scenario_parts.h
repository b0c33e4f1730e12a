// What several scenarios are made of.
#pragma once

#include <cstdint>

#include "netcore/sim/simulate.h"
#include "tests/sim/stream_session.h"

namespace netcore::test {

inline constexpr int kPort = 7000;

/// Begins to connect. Null if that was refused.
StreamRef NewClient(const StageRef& stage, const Role& role, int port = kPort);

/// Sends `rounds` pieces, waits for each, then closes one way or the other.
Role EchoClientRole(int rounds, std::uint32_t largest);

/// Half of the time: some allocations of the next second fail.
void FailSomeAllocation(SimWorld& world);

/// False for a run that would be over before anything goes wrong.
bool HasEnough(const SimWorld& world);

}  // namespace netcore::test
