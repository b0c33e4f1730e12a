// Loads echo servers, which take turns, and prints, as one line of JSON, a list of what each of
// them took.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "echo/load_generator.h"
#include "echo/load_options.h"

namespace bench {
namespace {

void PrintCount(const char* name, const std::optional<std::uint64_t>& count) {
  std::cout << ", \"" << name << "\": ";
  if (count) {
    std::cout << *count;
  } else {
    std::cout << "null";
  }
}

void Print(const LoadResult& result) {
  std::cout << "{\"seconds\": " << result.seconds << ", \"messages\": " << result.messages
            << ", \"server_cpu_seconds\": " << result.server.cpu_seconds
            << ", \"client_cpu_seconds\": " << result.client_cpu_seconds
            << ", \"all_messages\": " << result.all_messages;
  PrintCount("cycles", result.server.cycles);
  PrintCount("instructions", result.server.instructions);
  PrintCount("system_calls", result.server.system_calls);
  std::cout << "}";
}

void Run(const LoadOptions& options, const std::vector<LoadTarget>& targets) {
  std::vector<std::unique_ptr<LoadGenerator>> generators;
  for (const LoadTarget& target : targets) {
    generators.push_back(std::make_unique<LoadGenerator>(options, target));
    generators.back()->Begin();
  }
  for (int turn = 0; turn < options.turns; ++turn) {
    for (const auto& generator : generators) generator->TakeTurn(options.seconds / options.turns);
  }
  const char* before = "[";
  for (const auto& generator : generators) {
    std::cout << std::exchange(before, ", ");
    Print(generator->End());
  }
  std::cout << "]" << std::endl;
}

int Main(int argc, char** argv) {
  LoadOptions options;
  std::vector<std::uint16_t> ports;
  std::vector<pid_t> processes;
  CLI::App app("Loads echo servers at 127.0.0.1, one at a time, and measures them.");
  app.add_option("--port", ports, "where each of them listens")->required();
  app.add_option("--server", processes, "their process ids, in the same order")->required();
  app.add_option("--connections", options.connections)
      ->check(CLI::Range(1, 15'000))
      ->capture_default_str();
  app.add_option("--size", options.message_bytes, "bytes of a message")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("--pipeline", options.pipeline, "messages that leave together, and are awaited")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--warm-up", options.warm_up_seconds, "seconds")->capture_default_str();
  app.add_option("--seconds", options.seconds, "how long to measure each")->capture_default_str();
  app.add_option("--turns", options.turns, "in so many parts, one after the other's")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_flag("--sleep", options.sleeps, "sleep while nothing comes, instead of asking again");
  app.add_flag("--count-system-calls", options.counts_system_calls);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  if (ports.size() != processes.size()) {
    std::cerr << "echo load: " << ports.size() << " ports, but " << processes.size() << " servers"
              << std::endl;
    return 1;
  }
  std::vector<LoadTarget> targets;
  for (std::size_t i = 0; i < ports.size(); ++i) targets.push_back({ports[i], processes[i]});
  try {
    Run(options, targets);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "echo load: " << error.what() << std::endl;
    return 1;
  }
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc, argv); }
