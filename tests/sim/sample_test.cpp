// A game server's own sessions under a seed: what docs/simulation.md shows.
#include <memory>
#include <span>

#include "netcore/sim/simulate.h"
#include "tests/support/catch.h"

namespace {

// The server under test: answers whatever it is sent.
class EchoSession final : public netcore::Session {
  void OnRecv(std::span<std::byte> bytes) override { Send(bytes); }
};

// The test's client: counts what comes back.
class Client final : public netcore::Session {
 public:
  bool Ended() const { return ended_; }
  std::size_t Received() const { return received_; }

 private:
  void OnConnected() override { Send(netcore::SendBuffer::Create(kSize)); }
  void OnRecv(std::span<std::byte> bytes) override {
    received_ += bytes.size();
    if (received_ == kSize) Disconnect();
  }
  void OnDisconnected(const netcore::CloseInfo&) override { ended_ = true; }

  static constexpr std::size_t kSize = 5000;
  std::size_t received_ = 0;
  bool ended_ = false;
};

}  // namespace

TEST_CASE("a client gets its echo, or is told that it does not", "[sim][sample]") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const netcore::SimReport report = netcore::Simulate(seed, [](netcore::SimWorld& world) {
      world.Listen(7000, netcore::MakeSession<EchoSession>);
      auto client = std::make_shared<Client>();
      world.Connect(7000, client);
      world.Check(world.RunUntil([&] { return client->Ended(); }), "the client's session ends");
    });
    INFO(report.Text());
    REQUIRE(report.Ok());
  }
}
