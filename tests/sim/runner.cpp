// sim_runner: scenarios under many seeds, one seed after another on each of several threads.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/sim/failing_new.h"
#include "tests/sim/scenarios.h"

namespace netcore::test {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::uint64_t first = 1;
  std::uint64_t last = 1'000;
  std::vector<const Scenario*> scenarios;
  unsigned jobs = 1;
  double minutes = 0;
  bool verify = false;
  bool every_fault = true;
};

// What runs on this thread, for who dies of it.
thread_local const Scenario* running_scenario = nullptr;
thread_local const SimWorld* running_world = nullptr;
thread_local std::uint64_t running_seed = 0;

void PrintReplay(std::string_view scenario, std::uint64_t seed) {
  std::printf("replay: sim_runner --seeds %llu --scenario %.*s\n",
              static_cast<unsigned long long>(seed), static_cast<int>(scenario.size()),
              scenario.data());
  std::fflush(stdout);
}

// An assertion of the library: more than a handler may do is fine in a program that is lost anyway.
void OnDeath(int signal) {
  std::signal(signal, SIG_DFL);
  if (running_scenario != nullptr) {
    if (running_world != nullptr) {
      for (const std::string& line : running_world->Trace().Lines())
        std::printf("%s\n", line.c_str());
    }
    std::printf("FAILED: seed %llu died of signal %d\n",
                static_cast<unsigned long long>(running_seed), signal);
    PrintReplay(running_scenario->name, running_seed);
  }
  std::raise(signal);
}

class Runner {
 public:
  explicit Runner(const Options& options) : options_(options), next_(options.first) {}

  int Run() {
    begin_ = Clock::now();
    std::vector<std::thread> threads;
    for (unsigned job = 0; job < options_.jobs; ++job) threads.emplace_back([this] { Work(); });
    for (std::thread& thread : threads) thread.join();
    PrintFigures();
    return failed_ || !EveryFaultFired() ? EXIT_FAILURE : EXIT_SUCCESS;
  }

 private:
  void Work() {
    bool warm = false;  // what a thread allocates once is no leak
    while (!failed_ && !TimeIsUp()) {
      const std::uint64_t seed = next_.fetch_add(1);
      if (seed > options_.last) return;
      for (const Scenario* scenario : options_.scenarios) {
        const std::int64_t before = FailingMemory::OfThisThread().LiveCount();
        RunOne(*scenario, seed);
        const std::int64_t left = FailingMemory::OfThisThread().LiveCount() - before;
        if (warm && left != 0 && !failed_) {
          Fail(*scenario, seed, std::to_string(left) + " allocations are left");
        }
      }
      warm = true;
    }
  }

  bool TimeIsUp() const {
    return options_.minutes > 0 &&
           std::chrono::duration<double>(Clock::now() - begin_).count() > options_.minutes * 60;
  }

  void RunOne(const Scenario& scenario, std::uint64_t seed) {
    running_scenario = &scenario;
    running_seed = seed;
    const SimReport report = RunScenario(scenario, seed, &running_world);
    if (options_.verify) {
      const SimReport again = RunScenario(scenario, seed, &running_world);
      if (again.hash != report.hash) Fail(scenario, seed, "two runs differ");
    }
    running_scenario = nullptr;
    const std::lock_guard lock(mutex_);
    ++runs_;
    completions_ += report.completions;
    faults_total_ += report.FaultCount();
    few_completions_ += report.completions < 1'000 ? 1 : 0;
    few_faults_ += report.FaultCount() < 50 ? 1 : 0;
    for (std::size_t fault = 0; fault < kFaultCount; ++fault)
      faults_[fault] += report.faults[fault];
    if (!report.Ok()) FailLocked(scenario, seed, report.Text());
    if (runs_ % 2'000 == 0) PrintProgress();
  }

  void Fail(const Scenario& scenario, std::uint64_t seed, const std::string& why) {
    const std::lock_guard lock(mutex_);
    FailLocked(scenario, seed, why);
  }

  void FailLocked(const Scenario& scenario, std::uint64_t seed, const std::string& why) {
    failed_ = true;
    std::printf("%s\nFAILED: scenario %.*s, seed %llu\n", why.c_str(),
                static_cast<int>(scenario.name.size()), scenario.name.data(),
                static_cast<unsigned long long>(seed));
    PrintReplay(scenario.name, seed);
  }

  double SeedsAnHour() const {
    return static_cast<double>(runs_) /
           std::max(std::chrono::duration<double>(Clock::now() - begin_).count(), 1e-3) * 3600;
  }

  void PrintProgress() const {
    std::printf("%llu seeds, %.0f an hour\n", static_cast<unsigned long long>(runs_),
                SeedsAnHour());
    std::fflush(stdout);
  }

  void PrintFigures() const {
    const double runs = static_cast<double>(std::max<std::uint64_t>(runs_, 1));
    std::printf("%llu seeds on %u threads, %.0f an hour; a seed: %.0f completions, %.0f faults\n",
                static_cast<unsigned long long>(runs_), options_.jobs, SeedsAnHour(),
                static_cast<double>(completions_) / runs,
                static_cast<double>(faults_total_) / runs);
    std::printf("seeds below 1000 completions: %llu; below 50 faults: %llu\n",
                static_cast<unsigned long long>(few_completions_),
                static_cast<unsigned long long>(few_faults_));
    for (std::size_t fault = 0; fault < kFaultCount; ++fault) {
      const std::string_view name = ToString(static_cast<Fault>(fault));
      std::printf("  %-24.*s %llu\n", static_cast<int>(name.size()), name.data(),
                  static_cast<unsigned long long>(faults_[fault]));
    }
  }

  bool EveryFaultFired() const {
    // A few seeds need not see everything.
    if (!options_.every_fault || runs_ < 200) return true;
    bool all = true;
    for (std::size_t fault = 0; fault < kFaultCount; ++fault) {
      if (faults_[fault] != 0) continue;
      const std::string_view name = ToString(static_cast<Fault>(fault));
      std::printf("FAILED: never once: %.*s\n", static_cast<int>(name.size()), name.data());
      all = false;
    }
    return all;
  }

  const Options& options_;
  std::atomic<std::uint64_t> next_;
  std::atomic<bool> failed_{false};
  Clock::time_point begin_;

  std::mutex mutex_;
  std::uint64_t runs_ = 0;
  std::uint64_t completions_ = 0;
  std::uint64_t faults_total_ = 0;
  std::uint64_t few_completions_ = 0;
  std::uint64_t few_faults_ = 0;
  FaultPlan::Counts faults_{};
};

// "A..B" or "A".
std::string ReadSeeds(const std::string& text, Options& options) {
  try {
    const std::size_t dots = text.find("..");
    options.first = options.last = std::stoull(text.substr(0, dots));
    if (dots != std::string::npos) options.last = std::stoull(text.substr(dots + 2));
    return options.first <= options.last ? "" : "the first seed is the greater one";
  } catch (const std::exception&) {
    return "seeds are A..B or A";
  }
}

int Main(int argc, char** argv) {
  CLI::App app("Runs netcore's simulated scenarios under many seeds.");
  std::string seeds = "1..1000";
  std::vector<std::string> names;
  Options options;
  app.add_option("--seeds", seeds, "A..B, or one seed (default 1..1000)");
  app.add_option("--scenario", names,
                 "echo, churn, slow, stop, logic, groups, packet, chat; all if none is named");
  app.add_option("--jobs", options.jobs, "threads")->check(CLI::Range(1, 256));
  app.add_option("--minutes", options.minutes, "ends the run, also before the last seed");
  app.add_flag("--verify", options.verify, "runs each seed twice and compares");
  CLI11_PARSE(app, argc, argv);
  if (const std::string error = ReadSeeds(seeds, options); !error.empty()) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 2;
  }
  for (const std::string& name : names) {
    const Scenario* const scenario = FindScenario(name);
    if (scenario == nullptr) {
      std::fprintf(stderr, "there is no scenario \"%s\"\n", name.c_str());
      return 2;
    }
    options.scenarios.push_back(scenario);
  }
  if (names.empty()) {
    for (const Scenario& scenario : kScenarios) options.scenarios.push_back(&scenario);
  }
  std::signal(SIGABRT, OnDeath);
  std::signal(SIGSEGV, OnDeath);
  return Runner(options).Run();
}

}  // namespace
}  // namespace netcore::test

int main(int argc, char** argv) { return netcore::test::Main(argc, argv); }
