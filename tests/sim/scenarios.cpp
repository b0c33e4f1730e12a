#include "tests/sim/scenarios.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/sim/failing_new.h"
#include "tests/sim/packet_stream.h"
#include "tests/sim/scenario_parts.h"
#include "tests/sim/stream_session.h"

namespace netcore::test {
namespace {

SessionFactory Make(const StageRef& stage, const Role& role) {
  return [stage, role] { return std::make_shared<StreamSession>(stage, role, true); };
}

// One of those that are there; null if nobody is.
StreamRef PickSession(Stage& stage) {
  if (stage.sessions.empty()) return nullptr;
  return stage
      .sessions[stage.world.Random().Below(static_cast<std::uint32_t>(stage.sessions.size()))];
}

void ResumeLater(const StreamRef& session, Duration longest) {
  SimWorld& world = session->GetStage().world;
  world.After(world.DrawTime(longest), [session] { session->ResumeRecv(); });
}

Closing DrawClosing(SimRandom& random) {
  return random.OneIn(2) ? Closing::kAbort : Closing::kGraceful;
}

// One of a session's verbs, on a session that may have ended.
void ActOn(const StreamRef& session) {
  SimWorld& world = session->GetStage().world;
  SimRandom& random = world.Random();
  switch (random.Below(8)) {
    case 0:
      return session->Disconnect(CloseReason::kKicked, DrawClosing(random));
    case 1:
      session->PauseRecv();
      return ResumeLater(session, std::chrono::seconds(2));
    case 2:
      return session->ResumeRecv();
    case 3:
      return session->ShutdownSend();
    case 4:
      static_cast<void>(session->Post([session] { ActOn(session); }));
      return;
    default:
      if (!session->HasStream()) return;
      for (std::uint32_t count = 1 + random.Below(4); count > 0; --count) {
        session->SendNext(1 + random.Below(random.OneIn(8) ? 20'000 : 300));
      }
  }
}

// Whatever happened, the listener accepts, and the places of those who left are free.
void CheckNewcomerIsServed(const StageRef& stage, const Role& role) {
  SimWorld& world = stage->world;
  world.Faults().Stop();
  for (int times = 0; times < 2; ++times) {  // some were still connecting
    for (const StreamRef& session : std::vector<StreamRef>(stage->sessions)) {
      session->Disconnect(CloseReason::kKicked, Closing::kAbort);
    }
    world.RunFor(FaultPlan::kLongestStall + std::chrono::seconds(1));
  }
  world.FailAllocation(0);
  const StreamRef newcomer = NewClient(stage, role);
  world.Check(newcomer != nullptr && world.RunUntil([&] { return newcomer->Received() > 0; }),
              "a newcomer is not served any more");
}

PeerClose DrawPeerClose(SimRandom& random) {
  return random.OneIn(2) ? PeerClose::kCloseAfterFlush : PeerClose::kKeepOpen;
}

int DrawBufferSize(SimRandom& random) {
  return random.OneIn(2) ? 0 : static_cast<int>(random.Between(1, 4) * 1024);
}

// A server that sends back what comes.
Role EchoRole() {
  Role role;
  role.has_stream = false;
  role.receive = [](StreamSession& session, std::span<std::byte> bytes) {
    static_cast<void>(session.Send(bytes));
    if (!session.GetStage().world.Random().OneIn(64)) return;
    session.PauseRecv();
    ResumeLater(session.Self(), milliseconds(500));
  };
  role.peer_closed = [](StreamSession& session) { session.Disconnect(); };
  return role;
}

// All of them can say a packet of PacketStream, and none of them a length of all ones.
PacketFormat DrawFormat(SimRandom& random) {
  switch (random.Below(5)) {
    case 0:
      return PacketFormat::TypeLengthPayload(random.Between(100, 3'000));
    case 1:
      return PacketFormat::SizeAndId(random.Between(100, 1'000));
    case 2:
      return PacketFormat::LengthPrefix(1, random.Between(50, 254));
    case 3:
      return PacketFormat::LengthPrefix(2, random.Between(50, 500));
    default:
      return {.header_size = 9,
              .length_offset = 4,
              .length_width = 4,
              .length_counts_header = true,
              .type_offset = 2,
              .type_width = 1,
              .byte_order = random.OneIn(2) ? std::endian::little : std::endian::big,
              .max_payload_size = random.OneIn(8) ? 70'000U : 300U};
  }
}

PacketStreamRef NewPacketClient(const PacketStageRef& stage) {
  auto client = std::make_shared<PacketStream>(stage, false);
  if (stage->world.Connect(kPort, client)) return nullptr;
  return client;
}

void PauseForAWhile(const PacketStreamRef& session, Duration longest) {
  session->Pause();
  SimWorld& world = session->GetStage().world;
  world.After(world.DrawTime(longest), [session] { session->Resume(); });
}

// What a session does with a packet, or somebody with it.
void ActOnPacket(PacketStream& session) {
  SimRandom& random = session.GetStage().world.Random();
  switch (random.Below(32)) {
    case 0:
      return session.Disconnect(CloseReason::kKicked, DrawClosing(random));
    case 1:
      return session.ShutdownSend();
    case 2:
      return session.IsServer() ? session.SendNext() : session.SendPart();
    case 3:
      return session.IsServer() ? session.SendNext() : session.SendNonsense();
    case 4:
      return session.Resume();
    case 5:
      static_cast<void>(session.Post([self = session.Self()] { ActOnPacket(*self); }));
      return;
    case 6:
      session.Pause();
      return session.Resume();
    case 7:
    case 8:
    case 9:
    case 10:
      session.SendNext();
      return PauseForAWhile(session.Self(), milliseconds(300));
    case 11:
    case 12:
    case 13:
      return session.SendInPieces();
    default:
      for (std::uint32_t count = random.Below(4); count > 0; --count) session.SendNext();
  }
}

}  // namespace

void EchoScenario(SimWorld& world) {
  const auto stage = std::make_shared<Stage>(world);
  SimRandom& random = world.Random();
  SessionOptions options;
  options.on_peer_close = DrawPeerClose(random);
  options.socket.send_buffer_bytes = DrawBufferSize(random);
  options.socket.recv_buffer_bytes = DrawBufferSize(random);
  world.Listen(kPort, Make(stage, EchoRole()), options);
  const Role role =
      EchoClientRole(static_cast<int>(random.Between(10, 25)), random.OneIn(2) ? 64 : 1000);
  std::size_t begun = 0;
  do {
    FailSomeAllocation(world);
    std::size_t asked = 0;
    const std::size_t clients = random.Between(8, 20);
    for (std::size_t index = 0; index < clients; ++index) {
      world.After(world.DrawTime(milliseconds(200)), [&, stage, role] {
        ++asked;
        if (NewClient(stage, role) != nullptr) ++begun;
      });
    }
    // A client that is never connected ends too; a server's session may never have begun.
    const auto all_over = [&] {
      return asked == clients && stage->clients_ended == begun && stage->sessions.empty();
    };
    world.Check(world.RunUntil(all_over, std::chrono::minutes(2)),
                "not every client was served or told that it was not");
  } while (!world.HasFailed() && !HasEnough(world));
}

void ChurnScenario(SimWorld& world) {
  const auto stage = std::make_shared<Stage>(world);
  SimRandom& random = world.Random();
  Role server;
  Role client;
  server.begin = client.begin = [](StreamSession& session) { session.SendNext(100); };
  if (random.OneIn(2)) server = EchoRole();
  SessionOptions options;
  options.on_peer_close = DrawPeerClose(random);
  options.idle_timeout = milliseconds(random.OneIn(2) ? 0 : 3'000);
  options.max_send_queue_bytes = random.OneIn(2) ? 64 * 1024 : 1024 * 1024;
  options.socket.recv_buffer_bytes = DrawBufferSize(random);
  const std::size_t limit = random.OneIn(2) ? random.Between(3, 12) : 0;
  Service& service = world.Listen(kPort, Make(stage, server), options, limit);
  stage->mischief = random.Between(4, 16);
  stage->throws = random.Between(8, 32);
  stage->act = [stage = stage.get(), client](StreamSession& session) {
    SimRandom& drawn = stage->world.Random();
    const StreamRef other = drawn.OneIn(3) ? PickSession(*stage) : session.Self();
    ActOn(other != nullptr ? other : session.Self());
    if (drawn.OneIn(32)) static_cast<void>(NewClient(stage->weak_from_this().lock(), client));
  };
  do {
    FailSomeAllocation(world);
    const Duration length = std::chrono::seconds(random.Between(1, 4));
    for (std::uint32_t count = random.Between(60, 140); count > 0; --count) {
      world.After(world.DrawTime(length), [stage, client] {
        NewClient(stage, client);
        for (int times = 0; times < 3 && !stage->sessions.empty(); ++times) {
          ActOn(PickSession(*stage));
        }
      });
    }
    world.RunFor(length);
    world.Check(limit == 0 || service.Stats().peak_sessions <= limit,
                "more sessions than the limit");
  } while (!world.HasFailed() && !HasEnough(world));
  stage->mischief = 0;
  CheckNewcomerIsServed(stage, client);
}

void SlowScenario(SimWorld& world) {
  const auto stage = std::make_shared<Stage>(world);
  SimRandom& random = world.Random();
  SessionOptions options;
  options.on_peer_close = DrawPeerClose(random);
  options.max_send_queue_bytes = random.Between(8, 200) * 1024;
  options.idle_timeout = milliseconds(random.OneIn(2) ? 0 : random.Between(300, 3'000));
  options.send_stall_timeout = milliseconds(random.Between(300, 4'000));
  options.close_timeout = milliseconds(random.Between(100, 3'000));
  options.socket.send_buffer_bytes = static_cast<int>(random.Between(1, 4) * 1024);
  const std::uint32_t pause_one_in = random.Between(6, 40);

  Role server;
  server.begin = [](StreamSession& session) { session.SendNext(2'000); };
  server.sent = [](StreamSession& session) {
    SimWorld& its_world = session.GetStage().world;
    if (++session.counter > 60) return session.Disconnect();
    its_world.After(its_world.DrawTime(milliseconds(100)), [keep = session.Self()] {
      keep->SendNext(1 + keep->GetStage().world.Random().Below(12'000));
    });
  };
  server.end = [options](StreamSession& session, const CloseInfo& info) {
    SimWorld& its_world = session.GetStage().world;
    const Duration silence = its_world.Now() - session.LastReceived();
    its_world.Check(
        info.reason != CloseReason::kIdleTimeout ||
            (options.idle_timeout > milliseconds::zero() && silence >= options.idle_timeout),
        "a session was idle for too short a time to end");
    its_world.Check(info.reason != CloseReason::kSendStalled ||
                        its_world.Now() - session.LastSent() >= options.send_stall_timeout,
                    "a send was stalled for too short a time to end its session");
  };
  Role client;
  client.begin = [](StreamSession& session) { session.SendNext(50); };
  client.receive = [pause_one_in](StreamSession& session, std::span<std::byte>) {
    SimWorld& its_world = session.GetStage().world;
    if (its_world.Random().OneIn(6)) session.SendNext(1 + its_world.Random().Below(50));
    if (!its_world.Random().OneIn(pause_one_in)) return;
    session.PauseRecv();
    ResumeLater(session.Self(), std::chrono::seconds(6));
  };
  world.Listen(kPort, Make(stage, server), options);
  do {
    FailSomeAllocation(world);
    const Duration length = std::chrono::seconds(random.Between(2, 6));
    for (std::uint32_t count = random.Between(12, 24); count > 0; --count) {
      world.After(world.DrawTime(length), [stage, client] { NewClient(stage, client); });
    }
    world.RunFor(length);
  } while (!world.HasFailed() && !HasEnough(world));
}

void StopScenario(SimWorld& world) {
  const auto stage = std::make_shared<Stage>(world);
  SimRandom& random = world.Random();
  Role server;
  server.begin = [](StreamSession& session) { session.SendNext(1'000); };
  server.receive = [](StreamSession& session, std::span<std::byte> bytes) {
    session.SendNext(std::min<std::size_t>(bytes.size(), 4'000));
  };
  Role client;
  client.begin = server.begin;
  client.receive = [](StreamSession& session, std::span<std::byte> bytes) {
    session.SendNext(1 + bytes.size() / 2);
  };
  SessionOptions options;
  options.socket.recv_buffer_bytes = DrawBufferSize(random);
  // One service after another is stopped; with the last of them perhaps more than that.
  for (int port = kPort;; ++port) {
    Service& service = world.Listen(port, Make(stage, server), options);
    const bool last = HasEnough(world);
    const auto stop = [&world, &service, last] {
      const milliseconds deadline(world.Random().OneIn(2) ? 0 : world.Random().Below(2'000));
      switch (last ? world.Random().Below(6) : 3) {
        case 0:
          return world.ServerCore()->Stop();
        case 1:
          return world.ClientCore()->Stop();
        case 2:
          return world.Clients().Stop(deadline);
        default:
          return service.Stop(deadline);
      }
    };
    const bool inside = random.OneIn(2);
    const TimePoint when = world.Now() + world.DrawTime(milliseconds(600));
    stage->mischief = 8;
    stage->act = [stage = stage.get(), inside, when, stop,
                  done = false](StreamSession& session) mutable {
      if (inside && !done && stage->world.Now() >= when) {
        done = true;
        return stop();
      }
      if (stage->world.Random().OneIn(8)) ActOn(session.Self());
    };
    FailSomeAllocation(world);
    for (std::uint32_t count = random.Between(12, 30); count > 0; --count) {
      world.After(world.DrawTime(milliseconds(500)),
                  [stage, client, port] { NewClient(stage, client, port); });
    }
    if (!inside) world.After(when - world.Now(), stop);
    world.RunFor(when - world.Now() + milliseconds(random.Below(300)));
    if (!last || random.OneIn(3)) {
      service.Stop(milliseconds(random.Below(500)));
      world.Check(service.WaitStopped().complete, "WaitStopped gave up");
    }
    stage->mischief = 0;
    if (last || world.HasFailed()) return;
  }
}

void PacketScenario(SimWorld& world) {
  SimRandom& random = world.Random();
  const auto stage = std::make_shared<PacketStage>(world, DrawFormat(random));
  SessionOptions options;
  options.on_peer_close = DrawPeerClose(random);
  options.idle_timeout = milliseconds(random.OneIn(2) ? 0 : random.Between(1'000, 4'000));
  options.first_packet_timeout = milliseconds(random.OneIn(2) ? 0 : random.Between(200, 4'000));
  options.frame_timeout = milliseconds(random.OneIn(4) ? 0 : random.Between(100, 3'000));
  options.max_send_queue_bytes = random.Between(64, 300) * 1024;
  options.socket.send_buffer_bytes = DrawBufferSize(random);
  options.socket.recv_buffer_bytes = DrawBufferSize(random);
  stage->first_packet_timeout = options.first_packet_timeout;
  stage->frame_timeout = options.frame_timeout;
  const std::uint32_t throw_one_in = random.Between(30, 300);
  bool plain = false;
  stage->begin = [&plain](PacketStream& session) {
    SimRandom& drawn = session.GetStage().world.Random();
    if (!plain && drawn.OneIn(8)) return;  // silent
    if (!plain && drawn.OneIn(4)) return session.SendInPieces();
    // A newcomer is to be served: few enough for the smallest bound, however large each is.
    for (std::uint32_t count = plain ? 2 : drawn.Between(1, 12); count > 0; --count) {
      session.SendNext();
    }
  };
  stage->act = [&plain, throw_one_in](PacketStream& session) {
    PacketStage& its_stage = session.GetStage();
    if (plain) return session.Received() < 5 ? session.SendNext() : session.Disconnect();
    if (its_stage.world.Random().OneIn(throw_one_in)) throw std::runtime_error("on purpose");
    if (session.Received() > 40) return session.Disconnect();
    ActOnPacket(session);
  };
  const auto make = [stage] { return std::make_shared<PacketStream>(stage, true); };
  world.Listen(kPort, make, options);
  do {
    FailSomeAllocation(world);
    const Duration length = std::chrono::seconds(random.Between(1, 4));
    for (std::uint32_t count = random.Between(8, 20); count > 0; --count) {
      world.After(world.DrawTime(length), [stage] {
        NewPacketClient(stage);
        if (stage->sessions.empty()) return;
        const auto there = static_cast<std::uint32_t>(stage->sessions.size());
        const PacketStreamRef some = stage->sessions[stage->world.Random().Below(there)];
        ActOnPacket(*some);
      });
    }
    world.RunFor(length);
  } while (!world.HasFailed() && !HasEnough(world));

  // Whatever happened, a newcomer is served.
  plain = true;
  world.Faults().Stop();
  for (int times = 0; times < 2; ++times) {  // some were still connecting
    for (const PacketStreamRef& session : std::vector<PacketStreamRef>(stage->sessions)) {
      session->Disconnect(CloseReason::kKicked, Closing::kAbort);
    }
    world.RunFor(FaultPlan::kLongestStall + std::chrono::seconds(1));
  }
  world.FailAllocation(0);
  const PacketStreamRef newcomer = NewPacketClient(stage);
  world.Check(newcomer != nullptr && world.RunUntil([&] { return newcomer->Received() >= 3; }),
              "a newcomer is not served any more");
  stage->act = nullptr;
  stage->begin = nullptr;
}

const Scenario* FindScenario(std::string_view name) noexcept {
  const auto* const found = std::find_if(kScenarios.begin(), kScenarios.end(),
                                         [&](const Scenario& one) { return one.name == name; });
  return found == kScenarios.end() ? nullptr : found;
}

SimReport RunScenario(const Scenario& scenario, std::uint64_t seed, const SimWorld** running) {
  SimOptions options;
  options.memory = &FailingMemory::OfThisThread();
  options.client.timeout = milliseconds(3'000);
  options.client.session.on_peer_close =
      (seed & 1U) != 0 ? PeerClose::kCloseAfterFlush : PeerClose::kKeepOpen;
  const SimReport report = Simulate(
      seed,
      [&](SimWorld& world) {
        if (running != nullptr) *running = &world;
        scenario.run(world);
      },
      options);
  if (running != nullptr) *running = nullptr;
  return report;
}

}  // namespace netcore::test
