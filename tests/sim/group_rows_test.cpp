// Groups under seeds, where a scene is wanted that the scenario "groups" meets by chance alone.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "netcore/session/session_manager.h"
#include "tests/sim/rows_support.h"
#include "tests/sim/scenario_parts.h"

namespace netcore::test {
namespace {

class Listening final : public Session {
 public:
  const std::vector<std::byte>& Received() const noexcept { return received_; }

 private:
  void OnRecv(std::span<std::byte> bytes) override {
    received_.insert(received_.end(), bytes.begin(), bytes.end());
  }

  std::vector<std::byte> received_;
};

TEST_CASE("who ends gets the beginning of what it is sent and what is broadcast, without a hole",
          "[sim][groups]") {
  const auto scene = [](SimWorld& world) {
    constexpr GroupId kGroup{1};
    world.Faults().SetRate(Fault::kLateCompletion, 0.5);  // so that a send is under way
    SessionRef member;
    Service& service = world.Listen(kPort, [&member] {
      member = std::make_shared<Session>();
      return member;
    });
    const auto client = std::make_shared<Listening>();
    world.Connect(kPort, client);
    world.Check(world.RunUntil([&] {
      return client->IsConnected() && member != nullptr && member->IsConnected();
    }),
                "the client is let in");
    world.Check(service.Sessions()->Join(kGroup, member), "a member joins");
    const std::uint32_t last = world.Random().Between(1, 40);
    for (std::uint32_t number = 0; number < 200 && member->IsConnected(); ++number) {
      if (number == 4 * last) client->ShutdownSend();
      const std::byte byte{static_cast<std::uint8_t>(number)};
      if (number % 2 == 0) {
        service.Sessions()->Broadcast(kGroup, SendBuffer::Copy({&byte, 1}));
      } else {
        static_cast<void>(member->Send({&byte, 1}));
        world.RunFor(std::chrono::microseconds(world.Random().Below(30)));
      }
    }
    world.RunFor(std::chrono::seconds(1));
    std::uint32_t next = 0;
    for (const std::byte byte : client->Received()) {
      world.Check(byte == std::byte{static_cast<std::uint8_t>(next++)}, "something is left out");
    }
    member.reset();
  };
  UnderSeeds(200, scene);
}

}  // namespace
}  // namespace netcore::test
