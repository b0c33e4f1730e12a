// The chat under seeds, where a scene is wanted that the scenario "chat" meets by chance alone.
#include "chat/chat.h"

#include <chrono>
#include <memory>
#include <string>

#include "netcore/session/packet_session.h"
#include "tests/sim/rows_support.h"
#include "tests/sim/scenario_parts.h"

namespace netcore::test {
namespace {

using samples::chat::Chat;
using samples::chat::PacketType;
using std::chrono::milliseconds;

// Says what it is told to, and does not listen.
class Mover final : public PacketSession {
 public:
  Mover() : PacketSession(samples::chat::AnswerFormat()) {}

  void Say(PacketType type, std::string_view payload) {
    SendPacket(static_cast<std::uint32_t>(type), samples::chat::BytesOf(payload));
  }
};

TEST_CASE("who is cut on the way from room to room is gone from both", "[sim][chat]") {
  const auto scene = [](SimWorld& world) {
    const auto chat = std::make_shared<Chat>(world.Logic(), samples::chat::ChatOptions());
    SessionOptions options;
    options.on_peer_close = PeerClose::kKeepOpen;
    Service& service = world.Listen(kPort, chat->Sessions(), options);
    for (int count = 0; count < 20; ++count) {
      const auto mover = std::make_shared<Mover>();
      world.Connect(kPort, mover);
      world.Check(world.RunUntil([&] { return mover->IsConnected(); }), "a client is let in");
      mover->Say(PacketType::kSetName, "ann");
      for (const char* const room : {"attic", "cellar", "attic"})
        mover->Say(PacketType::kJoin, room);
      world.RunFor(std::chrono::microseconds(world.Random().Below(400)));
      mover->Disconnect(CloseReason::kLocal, Closing::kAbort);
      const auto is_gone = [&] {
        return service.Stats().sessions == 0 && chat->Stats().names == 0 &&
               chat->Stats().rooms == 1;
      };
      world.Check(world.RunUntil(is_gone), "a client that was cut is gone");
    }
    chat->Stop();
  };
  UnderSeeds(20, scene);
}

}  // namespace
}  // namespace netcore::test
