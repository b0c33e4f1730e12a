// The echo server of samples/echo on one worker, and one that answers each message by a Send.
#include <netcore/netcore.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <span>
#include <string>

#include "echo/message_cutter.h"
#include "echo/server_options.h"

namespace bench {
namespace {

// As the sample does: a client that reads slower than it writes is slowed down by TCP.
constexpr std::size_t kPauseAbove = 256 * 1024;
constexpr std::size_t kResumeBelow = 64 * 1024;

class EchoSession final : public netcore::Session {
  void OnRecv(std::span<std::byte> bytes) override {
    SendReceived(bytes);
    if (QueuedBytes() > kPauseAbove) PauseRecv();
  }
  void OnSend(std::size_t) override {
    if (QueuedBytes() < kResumeBelow) ResumeRecv();
  }
};

class MessageSession final : public netcore::Session {
 public:
  explicit MessageSession(std::size_t message_bytes) : cutter_(message_bytes) {}

 private:
  void OnRecv(std::span<std::byte> bytes) override {
    cutter_.Cut(bytes, [this](std::span<const std::byte> message) { Send(message); });
    if (QueuedBytes() > kPauseAbove) PauseRecv();
  }
  void OnSend(std::size_t) override {
    if (QueuedBytes() < kResumeBelow) ResumeRecv();
  }

  MessageCutter cutter_;
};

int Main(int argc, char** argv) {
  ServerOptions options;
  std::string backend = "auto";
  if (const auto status =
          ParseCommandLine("Sends back whatever its clients send; netcore with one worker.", argc,
                           argv, options, &backend)) {
    return *status;
  }

  netcore::ServiceOptions service_options;
  service_options.address = "127.0.0.1";
  service_options.port = options.port;
  service_options.core.threads = 1;
  service_options.factory = netcore::MakeSession<EchoSession>;
  if (options.message_bytes > 0) {
    service_options.factory = [size = options.message_bytes] {
      return std::make_shared<MessageSession>(size);
    };
  }
  netcore::Error error = netcore::ParseBackend(backend, service_options.core.backend);
  netcore::Service service(service_options);
  if (!error) error = service.Start();
  if (error) {
    std::cerr << "netcore_server: " << error.Message() << std::endl;
    return 1;
  }
  SayListening(service.LocalEndpoint().Port());
  for (;;) ::pause();  // until a signal ends the program
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc, argv); }
