// Rooms: what clients send is echoed by jobs of the room that they are in, not by their hooks.
// Rooms are full at times, closed and made anew, jobs throw, timed ones are cancelled.
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "netcore/logic/job_queue.h"
#include "tests/sim/scenario_parts.h"
#include "tests/sim/scenarios.h"
#include "tests/sim/stream_session.h"

namespace netcore::test {
namespace {

/// One queue and what only its jobs touch.
class Room : public std::enable_shared_from_this<Room> {
 public:
  Room(SimWorld& world, std::size_t max_jobs) : world_(world) {
    JobQueueOptions options;
    options.name = "room";
    options.max_jobs = max_jobs;
    queue_ = JobQueue::Create(world.Logic(), options);
  }

  void Enter(const StreamRef& session) { members_.push_back(session); }

  /// Echoes `bytes` in their turn. Whoever can't be served is told by a reset.
  void Receive(StreamSession& session, std::span<const std::byte> bytes) {
    const std::uint64_t number = ++pushed_;
    const PushResult result = queue_->Push([room = shared_from_this(), self = session.Self(),
                                            kept = StreamSession::Keep(bytes), number] {
      room->Begin(number);
      static_cast<void>(self->Send(kept.Bytes()));
      room->End();
    });
    if (result != PushResult::kQueued) session.Disconnect(CloseReason::kRateLimited, kReset);
  }

  /// Behind what was received before.
  void Leave(StreamSession& session) {
    const std::uint64_t number = ++pushed_;
    const PushResult result =
        queue_->Push([room = shared_from_this(), self = session.Self(), number] {
          room->Begin(number);
          self->Disconnect();
          room->End();
        });
    if (result != PushResult::kQueued) session.Disconnect(CloseReason::kRateLimited, kReset);
  }

  /// A timed job that pushes itself again, for as long as the room is open.
  void Tick() {
    static_cast<void>(
        queue_->PushAfter(world_.DrawTime(milliseconds(40)), [room = shared_from_this()] {
          room->Enter();
          room->End();
          room->Tick();
        }));
  }

  void Throw() {
    static_cast<void>(queue_->Push([] { throw std::runtime_error("on purpose"); }));
  }

  /// One timed job, cancelled at any moment, before or after it was due.
  void PushAndCancel() {
    auto ran = std::make_shared<bool>(false);
    const TimePoint due = world_.Now() + milliseconds(20);
    const TimedPush push =
        queue_->PushAfter(milliseconds(20), [room = shared_from_this(), ran, due] {
          room->world_.Check(room->world_.Now() >= due, "a timed job ran before it was due");
          *ran = true;
        });
    if (push.result != PushResult::kQueued) return;
    world_.After(world_.DrawTime(milliseconds(60)), [room = shared_from_this(), ran, push] {
      const bool before = *ran;
      const bool cancelled = room->queue_->Cancel(push.id);
      room->world_.Check(!(cancelled && before), "a job that ran was cancelled");
      room->world_.Check(cancelled || before || !room->open_, "a job that waits was not cancelled");
      if (!cancelled) return;
      room->world_.After(milliseconds(100),
                         [room, ran] { room->world_.Check(!*ran, "a cancelled job ran"); });
    });
  }

  /// Drained or dropped; in a dropped room everybody is sent away, for what they sent is lost.
  void Close() {
    open_ = false;
    const bool drop = world_.Random().OneIn(2);
    for (const std::weak_ptr<StreamSession>& member : members_) {
      const StreamRef session = member.lock();
      if (drop && session != nullptr) session->Disconnect(CloseReason::kKicked, kReset);
    }
    queue_->Close(drop ? StopMode::kDrop : StopMode::kDrain);
    if (world_.Random().OneIn(2)) {
      queue_->WaitClosed();
      CheckClosed();
    }
  }

  void CheckClosed() const {
    const JobQueueStats stats = queue_->Stats();
    world_.Check(queue_->IsClosed(), "a room is not closed");
    world_.Check(stats.waiting == 0, "jobs wait in a closed room");
    world_.Check(stats.pushed == stats.run + stats.dropped + stats.cancelled,
                 "the counters of a room do not add up");
  }

 private:
  static constexpr Closing kReset = Closing::kAbort;

  void Enter() {
    world_.Check(queue_->IsRunningHere(), "a job does not know where it runs");
    world_.Check(!std::exchange(inside_, true), "two jobs of one room run at once");
  }
  void Begin(std::uint64_t number) {
    Enter();
    world_.Check(number > std::exchange(last_, number), "jobs of one room were swapped");
  }
  void End() { inside_ = false; }

  SimWorld& world_;
  JobQueueRef queue_;
  std::vector<std::weak_ptr<StreamSession>> members_;
  bool open_ = true;
  std::uint64_t pushed_ = 0;
  std::uint64_t last_ = 0;
  bool inside_ = false;
};

using RoomRef = std::shared_ptr<Room>;

/// The rooms that there are, and some that were.
struct House {
  explicit House(SimWorld& its_world) : world(its_world) {}

  RoomRef Pick() {
    if (rooms.empty()) return nullptr;
    return rooms[world.Random().Below(static_cast<std::uint32_t>(rooms.size()))];
  }

  void Build(std::size_t max_jobs) {
    rooms.push_back(std::make_shared<Room>(world, max_jobs));
    if (world.Random().OneIn(2)) rooms.back()->Tick();
  }

  SimWorld& world;
  std::vector<RoomRef> rooms{};
  std::vector<RoomRef> closed{};
};

// Each of them in the room that its first bytes found it.
Role GuestRole(const std::shared_ptr<House>& house) {
  Role role;
  role.has_stream = false;
  // One Role serves all sessions: what belongs to one of them lies with its key.
  auto seats = std::make_shared<std::map<std::uint32_t, RoomRef>>();
  role.begin = [house, seats](StreamSession& session) {
    const RoomRef room = house->Pick();
    room->Enter(session.Self());
    (*seats)[session.Key()] = room;
  };
  role.receive = [seats](StreamSession& session, std::span<std::byte> bytes) {
    (*seats)[session.Key()]->Receive(session, bytes);
  };
  role.peer_closed = [seats](StreamSession& session) { (*seats)[session.Key()]->Leave(session); };
  role.end = [seats](StreamSession& session, const CloseInfo&) { seats->erase(session.Key()); };
  return role;
}

}  // namespace

void LogicScenario(SimWorld& world) {
  const auto stage = std::make_shared<Stage>(world);
  const auto house = std::make_shared<House>(world);
  SimRandom& random = world.Random();
  SessionOptions options;
  options.on_peer_close = PeerClose::kKeepOpen;
  options.idle_timeout = milliseconds(20'000);
  const std::size_t max_jobs = random.OneIn(2) ? 1'000 : random.Between(2, 8);
  const std::uint32_t rooms = random.Between(1, 4);
  for (std::uint32_t count = rooms; count > 0; --count) house->Build(max_jobs);
  world.Listen(
      kPort,
      [stage, role = GuestRole(house)] {
        return std::make_shared<StreamSession>(stage, role, true);
      },
      options);
  const Role client = EchoClientRole(static_cast<int>(random.Between(8, 16)), 300);
  std::size_t begun = 0;
  do {
    FailSomeAllocation(world);
    std::size_t asked = 0;
    const std::size_t clients = random.Between(8, 20);
    for (std::size_t index = 0; index < clients; ++index) {
      world.After(world.DrawTime(milliseconds(300)), [&, stage, client] {
        ++asked;
        if (NewClient(stage, client) != nullptr) ++begun;
      });
    }
    for (std::uint32_t count = random.Between(2, 10); count > 0; --count) {
      world.After(world.DrawTime(milliseconds(500)), [house, max_jobs] {
        const RoomRef room = house->Pick();
        switch (house->world.Random().Below(4)) {
          case 0: {
            std::erase(house->rooms, room);
            house->Build(max_jobs);
            house->closed.push_back(room);
            return room->Close();
          }
          case 1:
            return room->Throw();
          default:
            return room->PushAndCancel();
        }
      });
    }
    const auto all_over = [&] {
      return asked == clients && stage->clients_ended == begun && stage->sessions.empty();
    };
    world.Check(world.RunUntil(all_over, std::chrono::minutes(2)),
                "not every guest was served or told that it was not");
  } while (!world.HasFailed() && !HasEnough(world));
  world.RunFor(std::chrono::seconds(1));
  for (const RoomRef& room : house->closed) room->CheckClosed();
  if (random.OneIn(2)) world.Logic()->Stop(random.OneIn(2) ? StopMode::kDrop : StopMode::kDrain);
}

}  // namespace netcore::test
