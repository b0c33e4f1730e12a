// What tests of single rows of docs/scenarios.md share: a scene under some dozens of seeds, without
// faults but those that it asks for.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "netcore/sim/simulate.h"
#include "tests/sim/failing_new.h"
#include "tests/support/catch.h"

namespace netcore::test {

/// Faults after which every byte still arrives.
inline constexpr std::array kHarmless = {
    Fault::kShortSend,      Fault::kShortRecv,  Fault::kLateBytes,
    Fault::kLateCompletion, Fault::kReordered,  Fault::kEmptyRing,
    Fault::kCancelLost,     Fault::kCancelLate, Fault::kHandleReused};

inline void AddHarmlessFaults(SimWorld& world) {
  for (const Fault fault : kHarmless) {
    if (world.Random().OneIn(2)) world.Faults().SetRate(fault, 0.2);
  }
}

/// Runs `scene` under `count` seeds. Returns how often each fault happened.
inline FaultPlan::Counts UnderSeeds(std::uint64_t count,
                                    const std::function<void(SimWorld&)>& scene,
                                    SimOptions options = {}) {
  FaultPlan::Counts faults{};
  options.faults = false;
  options.memory = &FailingMemory::OfThisThread();
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    const SimReport report = Simulate(seed, scene, options);
    INFO(report.Text());
    REQUIRE(report.Ok());
    for (std::size_t fault = 0; fault < kFaultCount; ++fault) faults[fault] += report.faults[fault];
  }
  return faults;
}

inline std::uint64_t CountOf(const FaultPlan::Counts& faults, Fault fault) {
  return faults[static_cast<std::size_t>(fault)];
}

}  // namespace netcore::test
