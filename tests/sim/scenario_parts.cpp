#include "tests/sim/scenario_parts.h"

#include <memory>

namespace netcore::test {

StreamRef NewClient(const StageRef& stage, const Role& role, int port) {
  auto client = std::make_shared<StreamSession>(stage, role, false);
  if (stage->world.Connect(port, client)) return nullptr;
  return client;
}

Role EchoClientRole(int rounds, std::uint32_t largest) {
  const auto next = [largest](StreamSession& session) {
    SimRandom& random = session.GetStage().world.Random();
    session.SendNext(4 + random.Below(random.OneIn(16) ? 16 * largest : largest));
  };
  Role role;
  role.begin = next;
  role.peer_closed = [](StreamSession& session) { session.Disconnect(); };
  role.receive = [next, rounds](StreamSession& session, std::span<std::byte>) {
    SimWorld& world = session.GetStage().world;
    world.Check(session.Received() <= session.Sent(), "more came back than was sent");
    if (session.Received() < session.Sent()) return;
    if (++session.counter < rounds) return next(session);
    switch (world.Random().Below(4)) {
      case 0:
        return session.Disconnect(CloseReason::kLocal, Closing::kAbort);
      case 1:
        return session.Disconnect();
      default:
        return session.ShutdownSend();
    }
  };
  role.end = [rounds](StreamSession& session, const CloseInfo& info) {
    // Who half-closed after the last echo has nothing to lose but to a fault.
    session.GetStage().world.Check(
        info.reason != CloseReason::kPeerClosed || session.counter >= rounds ||
            session.GetStage().world.Faults().GetCounts() != FaultPlan::Counts{},
        "an echo was cut short without a fault");
  };
  return role;
}

void FailSomeAllocation(SimWorld& world) {
  if (world.Random().OneIn(2)) return;
  for (std::uint32_t count = 1 + world.Random().Below(6); count > 0; --count) {
    world.After(world.DrawTime(std::chrono::seconds(1)),
                [&world] { world.FailAllocation(1 + world.Random().Below(60)); });
  }
}

bool HasEnough(const SimWorld& world) { return world.Trace().CompletionCount() >= 1'200; }

}  // namespace netcore::test
