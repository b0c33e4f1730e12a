// Simulate: a scenario under a seed, from its beginning until nothing is left of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "netcore/sim/sim_world.h"

namespace netcore {

/// What a run was. Threads: as an int.
struct SimReport {
  std::uint64_t seed = 0;
  std::string failure;             // empty: all rules held
  std::uint64_t hash = 0;          // of all events, in order
  std::uint64_t completions = 0;   // that ports handed out
  FaultPlan::Counts faults{};      // by Fault
  Duration time{};                 // virtual
  std::vector<std::string> trace;  // the last events, if it failed

  bool Ok() const noexcept { return failure.empty(); }
  std::uint64_t FaultCount() const noexcept;

  /// The seed and what went wrong, the trace behind it.
  std::string Text() const;
};

/// Runs `scenario`, which listens, connects and runs the world for as long as it likes; then the
/// faults stop, everything is stopped, and must end: see SimWorld::Finish. The same seed and
/// scenario give the same run, event for event, on every machine.
///
///     const SimReport report = Simulate(seed, [](SimWorld& world) {
///       world.Listen(7000, MakeSession<MyServerSession>);
///       auto client = std::make_shared<MyClient>();
///       world.Connect(7000, client);
///       world.Check(world.RunUntil([&] { return client->IsDone(); }), "the client is served");
///     });
///     INFO(report.Text());
///     REQUIRE(report.Ok());
///
/// Throws what the scenario throws. Threads: any; several runs at once share nothing.
SimReport Simulate(std::uint64_t seed, const std::function<void(SimWorld&)>& scenario,
                   const SimOptions& options = {});

}  // namespace netcore
