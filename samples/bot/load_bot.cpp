// load_bot: many clients at once, to see what a server bears and whether it loses anything.
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <map>
#include <string>

#include "bot/echo_bot.h"
#include "bot/load_run.h"
#include "bot/progress_line.h"
#include "common/command_line.h"
#include "common/stop_signal.h"

namespace {

using namespace samples;

// Each mode makes another kind of bot.
using MakeMode = BotFactory (*)(std::shared_ptr<LoadShared>, const LoadOptions&);
const std::map<std::string, MakeMode> kModes = {{"echo", MakeEchoBots}};

struct CommandLine {
  std::string mode = "echo";
  std::string address = "127.0.0.1";
  int port = 11021;
  std::int64_t seconds = 5;
  std::int64_t drain_seconds = 10;
  netcore::CoreOptions core;
  LoadOptions load;
  std::string json;  // a file's name; "": none
};

template <typename Value>
void AddCount(CLI::App& app, const char* name, Value& value, int max, const char* what) {
  app.add_option(name, value, what)->check(CLI::Range(1, max))->capture_default_str();
}

void Declare(CLI::App& app, CommandLine& line) {
  app.add_option("mode", line.mode, "echo: every byte comes back")
      ->check(CLI::IsMember(kModes))
      ->capture_default_str();
  AddServerOptions(app, line.address, line.port);
  AddCount(app, "--clients", line.load.clients, 100'000, "connections");
  AddCount(app, "--size", line.load.message_size, 16 * 1024 * 1024, "bytes of a message");
  AddCount(app, "--pipeline", line.load.pipeline, 10'000, "messages a client keeps in flight");
  AddCount(app, "--duration", line.seconds, 3600, "seconds of load");
  AddCount(app, "--drain-timeout", line.drain_seconds, 3600, "seconds to wait for last answers");
  app.add_option("--threads", line.core.threads, "0: one for each hardware thread")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  AddBackendOption(app, line.core.backend);
  app.add_option("--json", line.json, "file to write the result to")->type_name("FILE");
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line;
  CLI::App app("Many clients at once, each checking every byte that comes back.", "load_bot");
  Declare(app, line);
  if (const auto status = ParseCommandLine(app, argc, argv)) return *status;
  line.load.duration = std::chrono::seconds(line.seconds);
  line.load.drain_timeout = std::chrono::seconds(line.drain_seconds);
  if (const auto error = netcore::Endpoint::Parse(line.address, line.port, line.load.server)) {
    return Fail(app, error);
  }

  CatchStopSignals();
  const auto core = std::make_shared<netcore::IocpCore>(line.core);
  if (const auto error = core->Run()) return Fail(app, error);
  const auto shared = std::make_shared<LoadShared>();
  LoadResult result;
  {
    ProgressLine progress;
    LoadRun run(core, line.load, shared, kModes.at(line.mode)(shared, line.load),
                [&](const std::string& text) { progress.Show(text); });
    result = run.Run();
  }
  result.mode = line.mode;
  PrintTable(std::cout, result);
  if (!line.json.empty()) {
    std::ofstream file(line.json);
    PrintJson(file, result);
    if (!file) return Fail(app, "could not write " + line.json);
  }
  return result.Good() ? 0 : kExitFailure;
}
