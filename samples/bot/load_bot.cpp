// load_bot: many clients at once, to see what a server bears and whether it loses anything.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bot/bot_message.h"
#include "bot/chat_crowd.h"
#include "bot/echo_crowd.h"
#include "bot/flight.h"
#include "bot/load_report.h"
#include "bot/load_run.h"
#include "bot/progress_line.h"
#include "chat/protocol.h"
#include "common/command_line.h"
#include "common/stop_signal.h"

namespace {

using namespace samples;

constexpr int kEchoPort = 11021;

const std::map<std::string, LoadMode> kModes = {
    {"echo", LoadMode::kEcho}, {"broadcast", LoadMode::kBroadcast}, {"chat", LoadMode::kChat}};

struct CommandLine {
  std::vector<std::string> modes{"chat"};
  std::string address = "127.0.0.1";
  int port = -1;  // none was given
  std::int64_t seconds = 5;
  std::int64_t ramp_seconds = 0;
  std::int64_t enter_seconds = 60;
  std::int64_t drain_seconds = 10;
  netcore::CoreOptions core;
  LoadOptions load;
  std::string json;  // a file's name; "": none
};

template <typename Value>
void AddCount(CLI::App& app, const char* name, Value& value, int min, int max, const char* what) {
  app.add_option(name, value, what)->check(CLI::Range(min, max))->capture_default_str();
}

void Declare(CLI::App& app, CommandLine& line) {
  LoadOptions& load = line.load;
  app.add_option(
         "--mode", line.modes,
         "chat: clients talk in rooms; broadcast: one speaks to all; echo: every byte comes "
         "back. chat and broadcast may follow each other: broadcast,chat (default: chat)")
      ->check(CLI::IsMember(std::vector<std::string>{"chat", "broadcast", "echo"}))
      ->delimiter(',');
  app.add_option("--address", line.address, "the server's address")->capture_default_str();
  app.add_option("--port", line.port, "the server's port (default: 12345, or 11021 for echo)");
  AddCount(app, "--clients", load.clients, 1, 100'000, "connections");
  AddCount(app, "--ramp", line.ramp_seconds, 0, 3600, "seconds over which they are made");
  AddCount(app, "--size", load.message_size, 1, 16 * 1024 * 1024, "bytes of a message");
  AddCount(app, "--duration", line.seconds, 1, 3600, "seconds of chat or echo");
  AddCount(app, "--messages", load.messages, 1, 1'000'000, "broadcast: how many");
  app.add_option("--rate", load.rate,
                 "messages a second that each says, 0: as fast as they are answered")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  AddCount(app, "--pipeline", load.pipeline, 1, 10'000,
           "without a rate: messages that each keeps in flight");
  AddCount(app, "--rooms", load.rooms, 0, 100'000, "chat: rooms of their own, 0: the lobby");
  AddCount(app, "--members", load.members, 0, 100'000,
           "clients that go to these rooms, 0: all; the others stay and must hear nothing");
  AddCount(app, "--speakers", load.speakers, 0, 100'000, "chat: of each room, 0: all talk");
  AddCount(app, "--enter-timeout", line.enter_seconds, 1, 3600,
           "seconds to wait until everybody is in its room");
  AddCount(app, "--drain-timeout", line.drain_seconds, 1, 3600, "seconds to wait for last answers");
  AddCount(app, "--threads", line.core.threads, 0, 1024, "0: one for each hardware thread");
  AddBackendOption(app, line.core.backend);
  app.add_option("--json", line.json, "file to write the result to")->type_name("FILE");
}

bool IsEcho(const LoadOptions& load) {
  return std::count(load.modes.begin(), load.modes.end(), LoadMode::kEcho) > 0;
}

// What CLI11 can't see: options that mean nothing together. Empty if they do.
std::string Contradiction(const LoadOptions& load) {
  if (IsEcho(load)) {
    return load.modes.size() > 1 ? "--mode: echo is for another server than the others" : "";
  }
  if (load.message_size < BotMessage::kMinSize || load.message_size > chat::kMaxTextBytes) {
    return "--size: a chat's message is " + std::to_string(BotMessage::kMinSize) + " to " +
           std::to_string(chat::kMaxTextBytes) + " bytes";
  }
  if (load.pipeline > Flight::kSlots) {
    return "--pipeline: " + std::to_string(Flight::kSlots) + " at most in a chat";
  }
  if (load.members > load.clients) return "--members: more than there are clients";
  if (load.members > 0 && load.rooms == 0) return "--members: of which --rooms?";
  const std::size_t members = load.members > 0 ? load.members : load.clients;
  return load.rooms > members ? "--rooms: more than there are clients for them" : "";
}

std::unique_ptr<Crowd> MakeCrowd(const LoadOptions& load,
                                 const std::shared_ptr<ConnectionStats>& connections) {
  if (IsEcho(load)) return std::make_unique<EchoCrowd>(load, connections);
  return std::make_unique<ChatCrowd>(load, connections);
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line;
  CLI::App app("Many clients at once, each checking all that it gets.", "load_bot");
  Declare(app, line);
  if (const auto status = ParseCommandLine(app, argc, argv)) return *status;
  LoadOptions& load = line.load;
  load.modes.clear();
  for (const std::string& mode : line.modes) load.modes.push_back(kModes.at(mode));
  if (const std::string wrong = Contradiction(load); !wrong.empty()) {
    return Fail(app, wrong), kExitUsage;
  }
  load.duration = std::chrono::seconds(line.seconds);
  load.ramp = std::chrono::seconds(line.ramp_seconds);
  load.enter_timeout = std::chrono::seconds(line.enter_seconds);
  load.drain_timeout = std::chrono::seconds(line.drain_seconds);
  if (line.port < 0) line.port = IsEcho(load) ? kEchoPort : chat::kDefaultPort;
  if (const auto error = netcore::Endpoint::Parse(line.address, line.port, load.server)) {
    return Fail(app, error);
  }

  CatchStopSignals();
  const auto core = std::make_shared<netcore::IocpCore>(line.core);
  if (const auto error = core->Run()) return Fail(app, error);
  const auto connections = std::make_shared<ConnectionStats>();
  RunResult result;
  {
    ProgressLine progress;
    LoadRun run(core, load, connections, MakeCrowd(load, connections),
                [&](double done, const std::string& text) { progress.Show(done, text); });
    result = run.Run();
  }
  PrintTable(std::cout, result);
  if (!line.json.empty()) {
    std::ofstream file(line.json);
    PrintJson(file, result);
    if (!file) return Fail(app, "could not write " + line.json);
  }
  return result.Good() ? 0 : kExitFailure;
}
