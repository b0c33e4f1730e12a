// Ends with 0 if a simulated client gets what it sent, in a world without faults.
#include <netcore/netcore.h>
#include <netcore/sim/simulate.h>

#include <cstdio>

namespace {

class Server final : public netcore::Session {
  void OnRecv(std::span<std::byte> bytes) override { Send(bytes); }
};

class Client final : public netcore::Session {
 public:
  bool IsDone() const { return received_ == kSize; }

 private:
  void OnConnected() override { Send(netcore::SendBuffer::Create(kSize)); }
  void OnRecv(std::span<std::byte> bytes) override { received_ += bytes.size(); }

  static constexpr std::size_t kSize = 5000;
  std::size_t received_ = 0;
};

}  // namespace

int main() {
  netcore::SimOptions options;
  options.faults = false;
  const netcore::SimReport report = netcore::Simulate(
      1,
      [](netcore::SimWorld& world) {
        world.Listen(7000, netcore::MakeSession<Server>);
        auto client = std::make_shared<Client>();
        world.Connect(7000, client);
        world.Check(world.RunUntil([&] { return client->IsDone(); }), "the client gets its echo");
      },
      options);
  if (!report.Ok()) std::puts(report.Text().c_str());
  return report.Ok() ? 0 : 1;
}
