// echo_client: sends what is typed or piped, and prints what comes back.
#include <netcore/netcore.h>

#include <CLI/CLI.hpp>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>

#include "common/command_line.h"
#include "common/terminal.h"

namespace {

// Hooks run on netcore's thread, the rest on main's.
class EchoClient final : public netcore::Session {
 public:
  // Waits until the connection stands and little is queued. False when it has ended.
  bool SendInTurn(std::span<const std::byte> bytes) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_ || (IsConnected() && QueuedBytes() < kMaxQueued); });
    return !ended_ && Send(bytes) == netcore::SendResult::kQueued;
  }
  netcore::CloseInfo WaitEnded() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_.has_value(); });
    return *ended_;
  }

 private:
  static constexpr std::size_t kMaxQueued = 256 * 1024;
  void OnConnected() override { Notify({}); }
  void OnSend(std::size_t) override { Notify({}); }
  void OnDisconnected(const netcore::CloseInfo& info) override { Notify(info); }
  void OnRecv(std::span<std::byte> bytes) override {
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    std::fflush(stdout);
  }
  void Notify(const std::optional<netcore::CloseInfo>& ended) {
    const std::lock_guard lock(mutex_);
    ended_ = ended;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<netcore::CloseInfo> ended_;
};

}  // namespace

int main(int argc, char** argv) {
  std::string address = "127.0.0.1";
  int port = 11021;
  netcore::CoreOptions options;
  options.threads = 1;
  options.hook_time_limit = {};  // OnRecv may wait for whoever reads our output
  CLI::App app("Sends what is typed or piped, and prints what comes back.", "echo_client");
  samples::AddServerOptions(app, address, port);
  samples::AddBackendOption(app, options.backend);
  if (const auto status = samples::ParseCommandLine(app, argc, argv)) return *status;

  netcore::Endpoint server;
  const auto core = std::make_shared<netcore::IocpCore>(options);
  netcore::Connector connector(core);
  const auto client = std::make_shared<EchoClient>();
  netcore::Error error = netcore::Endpoint::Parse(address, port, server);
  if (!error) error = core->Run();
  if (!error) error = connector.Connect(server, client);
  if (error) return samples::Fail(app, error);

  samples::UseBinaryStreams();
  const auto send = [&](std::span<const std::byte> input) { return client->SendInTurn(input); };
  const bool all_sent = send({}) && samples::ReadInput(send);
  client->ShutdownSend();
  const netcore::CloseInfo info = client->WaitEnded();
  if (all_sent && info.reason == netcore::CloseReason::kPeerClosed) return 0;
  return samples::Fail(app, info);
}
