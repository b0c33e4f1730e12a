// echo_server: sends back whatever its clients send.
#include <netcore/netcore.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>

#include "common/command_line.h"
#include "common/service_summary.h"
#include "common/stop_signal.h"

namespace {

// A client that sends faster than it reads makes our queue grow. Above one mark we stop reading
// from it, so that TCP slows it down; below the other we go on. Nothing is lost, and a session
// holds little more than kPauseAbove, whatever its client does.
class EchoSession final : public netcore::Session {
 public:
  static constexpr std::size_t kPauseAbove = 256 * 1024;
  static constexpr std::size_t kResumeBelow = 64 * 1024;

 private:
  void OnRecv(std::span<std::byte> bytes) override {
    SendReceived(bytes);
    if (QueuedBytes() > kPauseAbove) PauseRecv();
  }

  void OnSend(std::size_t) override {
    if (QueuedBytes() < kResumeBelow) ResumeRecv();
  }
};

}  // namespace

int main(int argc, char** argv) {
  netcore::ServiceOptions options;
  options.port = 11021;
  options.factory = netcore::MakeSession<EchoSession>;
  // A client that has said all it has to say may still be reading, slowly.
  options.session.close_timeout = std::chrono::minutes(1);

  CLI::App app("Sends back whatever its clients send.", "echo_server");
  app.add_option("--address", options.address, "address to listen on (default: all of them)");
  app.add_option("--port", options.port, "port to listen on, 0: any free one")
      ->capture_default_str();
  app.add_option("--threads", options.core.threads, "0: one for each hardware thread")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  samples::AddBackendOption(app, options.core.backend);
  app.add_option("--max-sessions", options.max_sessions, "refuse more clients, 0: no limit")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  if (const auto status = samples::ParseCommandLine(app, argc, argv)) return *status;

  samples::CatchStopSignals();
  netcore::Service service(options);
  if (const netcore::Error error = service.Start()) return samples::Fail(app, error);
  const netcore::IocpCore& core = *service.GetIocpCore();
  std::cout << "listening on " << service.LocalEndpoint().ToString() << " (backend "
            << core.BackendName() << ", " << core.WorkerCount()
            << (core.WorkerCount() == 1 ? " thread)" : " threads)") << std::endl;

  samples::WaitForStopSignal();
  service.Stop(std::chrono::seconds(2));
  const netcore::StopReport report = service.WaitStopped();
  samples::PrintSummary(std::cout, service.Stats(), report);
  return report.complete ? 0 : samples::kExitFailure;
}
