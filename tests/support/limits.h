// How long tests wait for what must happen.
#pragma once

#include <chrono>

// Seconds. A build that plants bugs sets it lower, as there the wait does end.
#ifndef NETCORE_TEST_WAIT_S
#define NETCORE_TEST_WAIT_S 180
#endif

namespace netcore::test {

/// For what must happen. Only broken code waits for so long, so it is far beyond what a machine
/// needs that is busy with other things; and below the time that ctest gives a test case.
inline constexpr std::chrono::seconds kWaitLimit{NETCORE_TEST_WAIT_S};

}  // namespace netcore::test
