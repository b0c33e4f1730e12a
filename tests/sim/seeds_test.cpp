// Every scenario under the same seeds each time and under others each time. All rules that hold at
// every step are checked by the world and by StreamSession; here also that a seed repeats itself.
#include <cstdint>
#include <iostream>
#include <random>
#include <string>

#include "tests/sim/failing_new.h"
#include "tests/sim/scenarios.h"
#include "tests/support/catch.h"
#include "tests/support/sanitizers.h"

namespace netcore::test {
namespace {

// Of each scenario.
constexpr std::uint64_t kEnoughSeeds = 500;  // to see every kind of fault
constexpr std::uint64_t kFixedSeeds = kSanitized ? 125 : kEnoughSeeds;
constexpr std::uint64_t kFreshSeeds = kSanitized ? 50 : 125;

void RunSeeds(const Scenario& scenario, std::uint64_t first, std::uint64_t count) {
  FaultPlan::Counts faults{};
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const std::int64_t before = FailingMemory::OfThisThread().LiveCount();
    std::uint64_t hash = 0;
    {
      const SimReport report = RunScenario(scenario, seed);
      INFO("replay: sim_runner --seeds " << seed << " --scenario " << scenario.name);
      INFO(report.Text());
      REQUIRE(report.Ok());
      REQUIRE(report.completions >= 1'000);
      hash = report.hash;
      for (std::size_t fault = 0; fault < kFaultCount; ++fault)
        faults[fault] += report.faults[fault];
    }
    const std::int64_t left = FailingMemory::OfThisThread().LiveCount() - before;
    const SimReport again = RunScenario(scenario, seed);
    INFO("seed " << seed);
    REQUIRE(again.hash == hash);
    if (seed > first) REQUIRE(left == 0);  // the first one warms up what a thread keeps
  }
  if (count < kEnoughSeeds) return;
  for (std::size_t fault = 0; fault < kFaultCount; ++fault) {
    INFO("never once: " << ToString(static_cast<Fault>(fault)));
    REQUIRE(faults[fault] > 0);
  }
}

std::uint64_t FreshSeed() {
  const std::uint64_t seed = std::uint64_t{std::random_device()()} << 16U;
  std::cout << "fresh seeds from " << seed << std::endl;
  return seed;
}

TEST_CASE("the echo scenario holds under fixed seeds", "[sim][seeds]") {
  RunSeeds(*FindScenario("echo"), 1, kFixedSeeds);
}

TEST_CASE("the churn scenario holds under fixed seeds", "[sim][seeds]") {
  RunSeeds(*FindScenario("churn"), 1, kFixedSeeds);
}

TEST_CASE("the slow scenario holds under fixed seeds", "[sim][seeds]") {
  RunSeeds(*FindScenario("slow"), 1, kFixedSeeds);
}

TEST_CASE("the stop scenario holds under fixed seeds", "[sim][seeds]") {
  RunSeeds(*FindScenario("stop"), 1, kFixedSeeds);
}

TEST_CASE("the logic scenario holds under fixed seeds", "[sim][seeds]") {
  RunSeeds(*FindScenario("logic"), 1, kFixedSeeds);
}

TEST_CASE("the groups scenario holds under fixed seeds", "[sim][seeds]") {
  RunSeeds(*FindScenario("groups"), 1, kFixedSeeds);
}

TEST_CASE("the packet scenario holds under fixed seeds", "[sim][seeds]") {
  RunSeeds(*FindScenario("packet"), 1, kFixedSeeds);
}

TEST_CASE("the chat scenario holds under fixed seeds", "[sim][seeds]") {
  RunSeeds(*FindScenario("chat"), 1, kFixedSeeds);
}

TEST_CASE("the echo scenario holds under fresh seeds", "[sim][seeds]") {
  RunSeeds(*FindScenario("echo"), FreshSeed(), kFreshSeeds);
}

TEST_CASE("the churn scenario holds under fresh seeds", "[sim][seeds]") {
  RunSeeds(*FindScenario("churn"), FreshSeed(), kFreshSeeds);
}

TEST_CASE("the slow scenario holds under fresh seeds", "[sim][seeds]") {
  RunSeeds(*FindScenario("slow"), FreshSeed(), kFreshSeeds);
}

TEST_CASE("the stop scenario holds under fresh seeds", "[sim][seeds]") {
  RunSeeds(*FindScenario("stop"), FreshSeed(), kFreshSeeds);
}

TEST_CASE("the logic scenario holds under fresh seeds", "[sim][seeds]") {
  RunSeeds(*FindScenario("logic"), FreshSeed(), kFreshSeeds);
}

TEST_CASE("the groups scenario holds under fresh seeds", "[sim][seeds]") {
  RunSeeds(*FindScenario("groups"), FreshSeed(), kFreshSeeds);
}

TEST_CASE("the packet scenario holds under fresh seeds", "[sim][seeds]") {
  RunSeeds(*FindScenario("packet"), FreshSeed(), kFreshSeeds);
}

TEST_CASE("the chat scenario holds under fresh seeds", "[sim][seeds]") {
  RunSeeds(*FindScenario("chat"), FreshSeed(), kFreshSeeds);
}

}  // namespace
}  // namespace netcore::test
