// chat_server: rooms, private messages, and thousands who listen. docs/chat-protocol.md says what a
// client and it say to each other.
#include <netcore/netcore.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <memory>

#include "chat/chat.h"
#include "common/command_line.h"
#include "common/service_summary.h"
#include "common/stop_signal.h"

namespace {

using samples::chat::Chat;
using samples::chat::ChatOptions;
using samples::chat::ChatStats;

struct CommandLine {
  netcore::ServiceOptions service;
  netcore::LogicPoolOptions logic;
  ChatOptions chat;
  std::int64_t idle_seconds = 90;
};

template <typename Value>
void AddNumber(CLI::App& app, const char* name, Value& value, std::int64_t min, std::int64_t max,
               const char* what) {
  app.add_option(name, value, what)->check(CLI::Range(min, max))->capture_default_str();
}

void Declare(CLI::App& app, CommandLine& line) {
  app.add_option("--address", line.service.address, "address to listen on (default: all of them)");
  app.add_option("--port", line.service.port, "port to listen on, 0: any free one")
      ->capture_default_str();
  AddNumber(app, "--threads", line.service.core.threads, 0, 1024,
            "for I/O, 0: one for each hardware thread");
  AddNumber(app, "--logic-threads", line.logic.threads, 0, 1024,
            "for the rooms, 0: one for each hardware thread");
  samples::AddBackendOption(app, line.service.core.backend);
  AddNumber(app, "--max-sessions", line.service.max_sessions, 0, 1'000'000,
            "refuse more clients, 0: no limit");
  AddNumber(app, "--idle-timeout", line.idle_seconds, 0, 1'000'000,
            "seconds of silence after which a client is hung up on, 0: never");
  AddNumber(app, "--history", line.chat.history, 0, 1'000,
            "messages that who joins a room gets of those before");
  AddNumber(app, "--max-rooms", line.chat.max_rooms, 1, 1'000'000, "rooms at once");
  AddNumber(app, "--announce-limit", line.chat.announce_limit, 0, 1'000'000,
            "largest room that is told who joins and leaves");
  AddNumber(app, "--send-queue-bytes", line.service.session.max_send_queue_bytes, 65'536,
            1'000'000'000, "what may wait for a client that does not read");
  app.set_config("--config", "", "a file with the same options, a line each: port = 12345");
}

void PrintChat(std::ostream& out, const ChatStats& stats) {
  out << "said " << stats.messages << " messages; refused " << stats.refused << " requests";
  if (stats.busy > 0) out << ", " << stats.busy << " of them for lack of room";
  out << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line;
  line.service.port = samples::chat::kDefaultPort;
  // Who has said all it has to say gets the answers first: see ChatSession::OnPeerClosed.
  line.service.session.on_peer_close = netcore::PeerClose::kKeepOpen;
  line.service.session.frame_timeout = std::chrono::seconds(30);

  CLI::App app("A chat server with rooms.", "chat_server");
  Declare(app, line);
  if (const auto status = samples::ParseCommandLine(app, argc, argv)) return *status;
  line.service.session.idle_timeout = std::chrono::seconds(line.idle_seconds);
  line.chat.ping_interval = line.service.session.idle_timeout / 3;

  samples::CatchStopSignals();
  const auto logic = std::make_shared<netcore::LogicPool>(line.logic);
  if (const netcore::Error error = logic->Start()) return samples::Fail(app, error);
  const auto chat = std::make_shared<Chat>(logic, line.chat);
  line.service.factory = chat->Sessions();
  netcore::Service service(line.service);
  if (const netcore::Error error = service.Start()) return samples::Fail(app, error);
  chat->BeginPings(service.Sessions());
  const netcore::IocpCore& core = *service.GetIocpCore();
  std::cout << "listening on " << service.LocalEndpoint().ToString() << " (backend "
            << core.BackendName() << ", " << core.WorkerCount()
            << (core.WorkerCount() == 1 ? " thread, " : " threads, ") << logic->ThreadCount()
            << (logic->ThreadCount() == 1 ? " logic thread)" : " logic threads)") << std::endl;

  samples::WaitForStopSignal();
  service.Stop(std::chrono::seconds(2));
  const netcore::StopReport report = service.WaitStopped();
  chat->Stop();
  logic->Stop(netcore::StopMode::kDrain);
  samples::PrintSummary(std::cout, service.Stats(), report);
  PrintChat(std::cout, chat->Stats());
  return report.complete ? 0 : samples::kExitFailure;
}
