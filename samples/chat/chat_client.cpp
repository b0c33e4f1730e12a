// chat_client: talk to others at a chat_server, from a terminal or a script.
#include "chat/client/chat_client.h"

#include <netcore/netcore.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "chat/client/pipe_face.h"
#include "chat/client/terminal_face.h"
#include "common/command_line.h"
#include "common/console.h"
#include "common/stop_signal.h"

namespace {

using samples::Console;
using namespace samples::chat;  // NOLINT: all of it

constexpr std::size_t kChunkSize = 4096;

struct CommandLine {
  std::string address = "127.0.0.1";
  int port = kDefaultPort;
  netcore::CoreOptions core;
  ChatClientOptions client;
};

void Declare(CLI::App& app, CommandLine& line) {
  samples::AddServerOptions(app, line.address, line.port);
  app.add_option("--name", line.client.name, "the name to ask for (default: the server's choice)");
  app.add_option("--room", line.client.room, "the room to go to")->capture_default_str();
  samples::AddBackendOption(app, line.core.backend);
  app.footer(std::string(CommandHelp()));
}

std::unique_ptr<Face> MakeFace(Console& console) {
  if (console.IsTerminal()) return std::make_unique<TerminalFace>(console, console.HasColours());
  return std::make_unique<PipeFace>(console, console.HasColours());
}

// On a thread of its own: nothing but Wake ends its waiting.
void ReadInput(Console& console, ChatClient& client) {
  std::vector<std::byte> buffer(kChunkSize);
  while (client.WaitForTurn()) {
    const std::size_t size = console.Read(buffer);
    if (size == 0) return client.TakeEnd();
    client.Take(std::string(TextOf(std::span(buffer).first(size))));
  }
}

// Until the client ends or a signal comes. The terminal is as it was when this returns.
std::optional<ChatClientTrouble> Talk(const std::shared_ptr<netcore::IocpCore>& core,
                                      const std::shared_ptr<netcore::LogicPool>& logic,
                                      const ChatClientOptions& options) {
  const std::unique_ptr<Console> console = Console::Open();
  const std::unique_ptr<Face> face = MakeFace(*console);
  ChatClient client(core, logic, *face, options);
  client.Start();
  std::thread reader([&] { ReadInput(*console, client); });
  samples::WaitForStopSignal();
  console->Wake();
  client.Stop();
  reader.join();
  face->End();
  return client.Trouble();
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line;
  // What the log has to say would stand in the middle of what is typed.
  line.core.threads = 1;
  line.core.log_level = netcore::LogLevel::kNone;
  CLI::App app("Talks to others at a chat_server.", "chat_client");
  Declare(app, line);
  if (const auto status = samples::ParseCommandLine(app, argc, argv)) return *status;

  const auto core = std::make_shared<netcore::IocpCore>(line.core);
  const auto logic = std::make_shared<netcore::LogicPool>(netcore::LogicPoolOptions{
      .threads = 1, .log_level = netcore::LogLevel::kNone, .job_time_limit = {}});
  netcore::Error error = netcore::Endpoint::Parse(line.address, line.port, line.client.server);
  if (!error) error = core->Run();
  if (!error) error = logic->Start();
  if (error) return samples::Fail(app, error);

  samples::CatchStopSignals();
  line.client.on_end = samples::RequestStop;
  const auto trouble = Talk(core, logic, line.client);
  if (!trouble) return 0;
  if (trouble->is_output_lost) return samples::Fail(app, "nobody reads what is written");
  return samples::Fail(app, trouble->info);
}
