// Loads one echo server and prints, as one line of JSON, what that took.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <exception>
#include <iostream>
#include <optional>

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
  std::cout << "}" << std::endl;
}

int Main(int argc, char** argv) {
  LoadOptions options;
  CLI::App app("Loads an echo server at 127.0.0.1 and measures it.");
  app.add_option("--port", options.port, "where it listens")->required();
  app.add_option("--server", options.server, "its process id")->required();
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
  app.add_option("--seconds", options.seconds, "how long to measure")->capture_default_str();
  app.add_flag("--sleep", options.sleeps, "sleep while nothing comes, instead of asking again");
  app.add_flag("--count-system-calls", options.counts_system_calls);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  try {
    Print(LoadGenerator(options).Run());
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "echo load: " << error.what() << std::endl;
    return 1;
  }
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc, argv); }
