#include "netcore/sim/simulate.h"

#include <fmt/format.h>

#include <numeric>

namespace netcore {

std::uint64_t SimReport::FaultCount() const noexcept {
  return std::accumulate(faults.begin(), faults.end(), std::uint64_t{0});
}

std::string SimReport::Text() const {
  std::string text = fmt::format("seed {}: {}\n", seed, Ok() ? "all rules held" : failure);
  for (const std::string& line : trace) text += line + '\n';
  return text;
}

SimReport Simulate(std::uint64_t seed, const std::function<void(SimWorld&)>& scenario,
                   const SimOptions& options) {
  SimWorld world(seed, options);
  const TimePoint begin = world.Now();
  scenario(world);
  world.Finish();
  SimReport report;
  report.seed = seed;
  report.failure = world.Trace().Failure();
  report.hash = world.Trace().Hash();
  report.completions = world.Trace().CompletionCount();
  report.faults = world.Faults().GetCounts();
  report.time = world.Now() - begin;
  if (!report.Ok()) report.trace = world.Trace().Lines();
  return report;
}

}  // namespace netcore
