// Sessions that are aborted in the middle of a send, while their peer makes room for it.
#include <atomic>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>

#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

constexpr std::size_t kPayloadBytes = 256 * 1024;

std::atomic<std::size_t> servers_ended{0};
std::atomic<std::size_t> clients_ended{0};

// Sends its own id and more than the system takes at once.
class Sender final : public Session {
  void OnConnected() override {
    std::string payload(kPayloadBytes, 'p');
    const std::uint64_t id = Id().value;
    std::memcpy(payload.data(), &id, sizeof id);
    Send(AsBytes(payload));
  }
  void OnDisconnected(const CloseInfo&) override { ++servers_ended; }
};

// Has its server aborted when the first bytes are there, and goes on reading.
class Reader final : public Session {
 public:
  explicit Reader(SessionManager& servers) : servers_(servers) {}

 private:
  void OnRecv(std::span<std::byte> bytes) override {
    if (has_asked_ || bytes.size() < sizeof(std::uint64_t)) return;
    has_asked_ = true;
    SessionId id;
    std::memcpy(&id.value, bytes.data(), sizeof id.value);
    if (const SessionRef server = servers_.Find(id)) {
      server->Disconnect(CloseReason::kKicked, Closing::kAbort);
    }
  }
  void OnDisconnected(const CloseInfo&) override { ++clients_ended; }

  SessionManager& servers_;
  bool has_asked_ = false;
};

void AbortSessions(Backend backend, std::size_t count) {
  servers_ended = 0;
  clients_ended = 0;
  CoreOptions core_options;
  core_options.threads = 2;
  core_options.backend = backend;
  const auto core = std::make_shared<IocpCore>(core_options);
  SessionOptions options;
  options.socket.send_buffer_bytes = 8 * 1024;
  options.socket.recv_buffer_bytes = 8 * 1024;
  Service service(core, std::make_shared<Listener>("127.0.0.1", 0), MakeSession<Sender>, 50,
                  options);
  REQUIRE_FALSE(service.Start());
  REQUIRE_FALSE(core->Run());
  Connector connector(core, {.timeout = kLimit, .session = options});
  constexpr std::size_t kAtATime = 50;
  for (std::size_t begun = 0; begun < count;) {
    const std::size_t until = std::min(count, begun + kAtATime);
    for (; begun < until; ++begun) {
      REQUIRE_FALSE(connector.Connect(service.LocalEndpoint(),
                                      std::make_shared<Reader>(*service.Sessions())));
    }
    const bool all = Eventually([&] { return clients_ended == begun && servers_ended == begun; });
    INFO(servers_ended << " and " << clients_ended << " of " << begun);
    REQUIRE(all);
  }
  connector.Stop(milliseconds::zero());
  service.Stop(milliseconds::zero());
  CHECK(connector.WaitStopped().complete);
  CHECK(service.WaitStopped().complete);
  std::cout << "figure: aborted sessions that ended, " << ToString(backend) << " = " << count
            << " sessions\n";
}

TEST_CASE("sessions that are aborted while their peer makes room all end", "[session]") {
  for (const Backend backend : RealBackends()) {
    DYNAMIC_SECTION(ToString(backend)) {
      // Under Wine each takes ten times as long.
      AbortSessions(backend, backend == Backend::kIocp ? 200 : 2'000);
    }
  }
}

TEST_CASE("a hundred thousand aborted sessions end", "[.prove]") {
  for (const Backend backend : RealBackends()) {
    DYNAMIC_SECTION(ToString(backend)) { AbortSessions(backend, 100'000); }
  }
}

}  // namespace
}  // namespace netcore::test
