// The rows of docs/scenarios.md that a simulation can show, each under some dozens of seeds.
#include <algorithm>
#include <functional>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/sim/rows_support.h"
#include "tests/sim/scenario_parts.h"
#include "tests/sim/stream_session.h"
#include "tests/support/catch.h"

namespace netcore::test {
namespace {

using Scene = std::function<void(SimWorld&, const StageRef&)>;

FaultPlan::Counts UnderSeeds(std::uint64_t count, const Scene& scene,
                             const SimOptions& options = {}) {
  return test::UnderSeeds(
      count, [&](SimWorld& world) { scene(world, std::make_shared<Stage>(world)); }, options);
}

SessionFactory Make(const StageRef& stage, const Role& role,
                    std::vector<StreamRef>* made = nullptr) {
  return [stage, role, made] {
    auto session = std::make_shared<StreamSession>(stage, role, true);
    if (made != nullptr) made->push_back(session);
    return session;
  };
}

StreamRef Connect(const StageRef& stage, const Role& role = {}) {
  auto client = std::make_shared<StreamSession>(stage, role, false);
  const Error error = stage->world.Connect(kPort, client);
  if (error) stage->world.Fail(error.Message());
  return client;
}

Role EchoRole() {
  Role role;
  role.has_stream = false;
  role.receive = [](StreamSession& session, std::span<std::byte> bytes) {
    static_cast<void>(session.Send(bytes));
  };
  return role;
}

// A client that must be served whatever happens to the others.
class Canary {
 public:
  explicit Canary(const StageRef& stage) : stage_(stage) {
    Role role;
    role.begin = [](StreamSession& session) { session.SendNext(500); };
    client_ = Connect(stage, role);
    stage->world.Check(IsServed(), "the canary is served at the beginning");
  }

  void CheckStillServed() {
    client_->SendNext(700);
    stage_->world.Check(IsServed(), "the canary is served to the end");
    stage_->world.Check(!client_->Ended(), "the canary lives");
  }

 private:
  bool IsServed() {
    return stage_->world.RunUntil(
        [this] { return client_->Received() == client_->Sent() && client_->Sent() > 0; });
  }

  const StageRef stage_;
  StreamRef client_;
};

TEST_CASE("many sends and then FIN: all arrive, then the peer has closed", "[sim][row10]") {
  UnderSeeds(60, [](SimWorld& world, const StageRef& stage) {
    AddHarmlessFaults(world);
    std::vector<StreamRef> servers;
    world.Listen(kPort, Make(stage, {}, &servers));
    Role role;
    role.begin = [](StreamSession& session) {
      for (int count = 0; count < 100; ++count)
        session.SendNext(1 + session.GetStage().world.Random().Below(900));
      session.Disconnect();
    };
    const StreamRef client = Connect(stage, role);
    world.RunUntil([&] { return stage->ended == 2; });
    world.Check(servers.size() == 1 && servers[0]->Received() == client->Sent(), "all arrived");
    world.Check(servers.size() == 1 && servers[0]->Info().reason == CloseReason::kPeerClosed,
                "the server saw the peer close");
    world.Check(client->Info().bytes_unsent == 0, "nothing was left unsent");
  });
}

TEST_CASE("a peer that shuts its write side and goes on reading gets what is queued, then FIN",
          "[sim][row12]") {
  UnderSeeds(60, [](SimWorld& world, const StageRef& stage) {
    AddHarmlessFaults(world);
    Role server;
    server.receive = [](StreamSession& session, std::span<std::byte>) {
      if (session.counter++ == 0) session.SendNext(200'000);
    };
    std::vector<StreamRef> servers;
    world.Listen(kPort, Make(stage, server, &servers));
    Role role;
    role.begin = [](StreamSession& session) {
      session.SendNext(10);
      session.ShutdownSend();
    };
    const StreamRef client = Connect(stage, role);
    world.RunUntil([&] { return stage->ended == 2; });
    world.Check(client->Received() == 200'000, "the whole reply arrived");
    world.Check(client->Info().reason == CloseReason::kPeerClosed, "and then a clean end");
    world.Check(servers[0]->Info().reason == CloseReason::kPeerClosed, "of both");
  });
}

TEST_CASE(
    "a peer that resets, in the backlog, idle or with bytes on the way, ends its session once",
    "[sim][row13]") {
  const FaultPlan::Counts faults = UnderSeeds(100, [](SimWorld& world, const StageRef& stage) {
    world.Listen(kPort, Make(stage, EchoRole()));
    world.Faults().SetRate(Fault::kPeerReset, 0.1);
    Role role;
    role.begin = [](StreamSession& session) { session.SendNext(3'000); };
    for (int count = 0; count < 15; ++count) Connect(stage, role);
    world.RunFor(std::chrono::seconds(2));
    const auto resets = stage->reasons[static_cast<std::size_t>(CloseReason::kPeerReset)];
    world.Check(resets == stage->ended, "all that ended were reset");
    world.Faults().Stop();
    Canary(stage).CheckStillServed();
  });
  CHECK(CountOf(faults, Fault::kPeerReset) > 100);
}

TEST_CASE("with the smallest socket buffers 1 MB comes back exactly", "[sim][row16]") {
  UnderSeeds(6, [](SimWorld& world, const StageRef& stage) {
    AddHarmlessFaults(world);
    SessionOptions options;
    options.max_send_queue_bytes = 0;
    options.socket.send_buffer_bytes = options.socket.recv_buffer_bytes = 512;
    world.Listen(kPort, Make(stage, EchoRole()), options);
    constexpr std::size_t kSize = 1'000'000;
    Role role;
    role.begin = [](StreamSession& session) { session.SendNext(kSize); };
    const StreamRef client = Connect(stage, role);
    world.Check(world.RunUntil([&] { return client->Received() == kSize; }, std::chrono::hours(1)),
                "all came back");
  });
}

TEST_CASE("Disconnect inside each hook, and Send after it, end the session once", "[sim][row20]") {
  const int hook = GENERATE(range(0, 5));
  CAPTURE(hook);
  UnderSeeds(30, [hook](SimWorld& world, const StageRef& stage) {
    AddHarmlessFaults(world);
    const auto act = [](StreamSession& session) {
      for (int times = 0; times < 3; ++times) {
        session.Disconnect(CloseReason::kKicked, session.GetStage().world.Random().OneIn(2)
                                                     ? Closing::kAbort
                                                     : Closing::kGraceful);
        session.GetStage().world.Check(session.SendNext(1) == SendResult::kClosing,
                                       "Send after Disconnect says kClosing");
      }
    };
    Role role;
    role.begin = [](StreamSession& session) { session.SendNext(3'000); };
    if (hook == 0) role.begin = act;
    if (hook == 1)
      role.receive = [act](StreamSession& session, std::span<std::byte>) { act(session); };
    if (hook == 2) role.sent = act;
    if (hook == 3) role.peer_closed = act;
    if (hook == 4) role.end = [act](StreamSession& session, const CloseInfo&) { act(session); };
    SessionOptions options;
    options.on_peer_close = hook == 3 ? PeerClose::kKeepOpen : PeerClose::kCloseAfterFlush;
    std::vector<StreamRef> servers;
    world.Listen(kPort, Make(stage, role, &servers), options);
    Role client_role;
    client_role.begin = [hook](StreamSession& session) {
      session.SendNext(5'000);
      if (hook >= 3) session.ShutdownSend();
    };
    Connect(stage, client_role);
    world.Check(world.RunUntil([&] { return stage->ended == 2; }), "both ended, once");
    world.Check(
        servers[0]->Info().reason == (hook == 4 ? CloseReason::kPeerClosed : CloseReason::kKicked),
        "the first reason stands");
  });
}

TEST_CASE("Service::Stop with queued data, also from inside a hook: flushed up to the deadline",
          "[sim][row21]") {
  const bool inside = GENERATE(true, false);
  const bool reads = GENERATE(true, false);
  CAPTURE(inside, reads);
  UnderSeeds(40, [=](SimWorld& world, const StageRef& stage) {
    AddHarmlessFaults(world);
    Service* service = nullptr;
    Role role;
    role.begin = [&service, inside](StreamSession& session) {
      session.SendNext(300'000);
      if (inside) service->Stop(milliseconds(2'000));
    };
    std::vector<StreamRef> servers;
    service = &world.Listen(kPort, Make(stage, role, &servers));
    Role client_role;
    client_role.begin = [reads](StreamSession& session) {
      if (!reads) session.PauseRecv();
    };
    const StreamRef client = Connect(stage, client_role);
    world.RunUntil([&] { return !servers.empty() && servers[0]->WasConnected(); });
    const TimePoint begin = world.Now();
    if (!inside) service->Stop(milliseconds(2'000));
    const StopReport report = service->WaitStopped();
    world.Check(report.complete && report.sessions_left == 0, "the stop came to an end");
    world.Check(world.Now() - begin < std::chrono::seconds(3), "in time");
    world.Check((report.bytes_unsent == 0) == reads, "what was dropped is told");
    world.Check(servers[0]->Info().reason == CloseReason::kServiceStopping, "by name");
    if (reads) world.Check(client->Received() == 300'000, "all was flushed");
  });
}

TEST_CASE("one session more than the maximum is closed and counted, and the place is used again",
          "[sim][row23]") {
  UnderSeeds(40, [](SimWorld& world, const StageRef& stage) {
    AddHarmlessFaults(world);
    Service& service = world.Listen(kPort, Make(stage, EchoRole()), {}, 3);
    std::vector<StreamRef> clients;
    for (int count = 0; count < 3; ++count) clients.push_back(Connect(stage));
    world.RunUntil([&] { return service.Stats().sessions == 3; });
    const StreamRef extra = Connect(stage);
    world.Check(world.RunUntil([&] { return extra->Ended(); }), "the extra one ends");
    world.Check(extra->Info().reason == CloseReason::kPeerClosed, "cleanly");
    world.Check(service.Stats().refused == 1 && service.Stats().peak_sessions == 3,
                "it is counted");
    clients[0]->Disconnect();
    world.RunUntil([&] { return service.Stats().sessions == 2; });
    Canary(stage).CheckStillServed();
  });
}

TEST_CASE("an allocation that fails ends at most its session and the service lives",
          "[sim][row27]") {
  SimOptions options;
  options.server_workers = 2;
  options.client_workers = 1;
  std::uint64_t failed = 0;
  for (std::uint64_t nth = 1; nth <= 150; ++nth) {
    CAPTURE(nth);
    const FaultPlan::Counts faults = UnderSeeds(
        3,
        [nth](SimWorld& world, const StageRef& stage) {
          world.Listen(kPort, Make(stage, EchoRole()));
          Canary canary(stage);
          world.FailAllocation(nth);
          Role role;
          role.begin = [](StreamSession& session) {
            session.SendNext(2'000);
            static_cast<void>(session.Post([] {}));
          };
          role.receive = [](StreamSession& session, std::span<std::byte>) {
            if (session.Received() == session.Sent()) session.Disconnect();
          };
          std::vector<StreamRef> clients;
          for (int count = 0; count < 4; ++count) clients.push_back(Connect(stage, role));
          const auto all_ended = [&] {
            return std::all_of(clients.begin(), clients.end(),
                               [](const StreamRef& client) { return client->Ended(); });
          };
          world.Check(world.RunUntil(all_ended), "each client is served or told");
          const auto good = std::count_if(
              clients.begin(), clients.end(),
              [](const StreamRef& client) { return client->Info().reason == CloseReason::kLocal; });
          world.Check(good >= 3, "more than one session ended of it");
          world.FailAllocation(0);
          canary.CheckStillServed();
        },
        options);
    failed += CountOf(faults, Fault::kNoMemory);
  }
  CHECK(failed > 100);
}

TEST_CASE("recv streams without buffers and cancels that lose lose nothing", "[sim][row28]") {
  const FaultPlan::Counts faults = UnderSeeds(60, [](SimWorld& world, const StageRef& stage) {
    world.Faults().SetRate(Fault::kEmptyRing, 0.2);
    world.Faults().SetRate(Fault::kCancelLost, 0.8);
    world.Faults().SetRate(Fault::kCancelLate, 0.8);
    world.Listen(kPort, Make(stage, EchoRole()));
    Canary canary(stage);
    Role role;
    role.begin = [](StreamSession& session) {
      session.SendNext(5'000);
      session.GetStage().world.After(
          session.GetStage().world.DrawTime(milliseconds(50)),
          [self = session.Self()] { self->Disconnect(CloseReason::kLocal, Closing::kAbort); });
    };
    for (int count = 0; count < 10; ++count) Connect(stage, role);
    world.Check(world.RunUntil([&] { return stage->clients_ended == 10; }), "all ended");
    canary.CheckStillServed();
  });
  CHECK(CountOf(faults, Fault::kEmptyRing) > 0);
  CHECK(CountOf(faults, Fault::kCancelLost) > 0);
  CHECK(CountOf(faults, Fault::kCancelLate) > 0);
}

TEST_CASE("a hook that throws ends its own session only, under every order", "[sim][row29]") {
  UnderSeeds(60, [](SimWorld& world, const StageRef& stage) {
    AddHarmlessFaults(world);
    std::vector<StreamRef> servers;
    bool armed = false;
    Role role = EchoRole();
    role.receive = [&armed](StreamSession& session, std::span<std::byte> bytes) {
      if (armed) throw std::runtime_error("thrown on purpose");
      static_cast<void>(session.Send(bytes));
    };
    world.Listen(kPort, Make(stage, role, &servers));
    Canary canary(stage);
    Role bad;
    bad.begin = [](StreamSession& session) { session.SendNext(66); };
    armed = true;
    const StreamRef client = Connect(stage, bad);
    world.Check(world.RunUntil([&] { return client->Ended(); }), "the peer is told");
    armed = false;
    const auto threw = std::count_if(servers.begin(), servers.end(), [](const StreamRef& server) {
      return server->Info().reason == CloseReason::kHookThrew;
    });
    world.Check(threw == 1 && world.LogCount("thrown on purpose") == 1, "one session, one line");
    canary.CheckStillServed();
  });
}

TEST_CASE("after accepts that failed the next one works", "[sim][row31][row22]") {
  const Fault fault =
      GENERATE(Fault::kAcceptAborted, Fault::kAcceptTooManyFiles, Fault::kAcceptNoBuffers);
  INFO(ToString(fault));
  const FaultPlan::Counts faults = UnderSeeds(40, [fault](SimWorld& world, const StageRef& stage) {
    world.Faults().SetRate(fault, 0.7);
    Service& service = world.Listen(kPort, Make(stage, EchoRole()));
    std::vector<StreamRef> clients;
    for (int count = 0; count < 10; ++count) clients.push_back(Connect(stage));
    world.RunFor(std::chrono::seconds(2));
    const ServiceStats stats = service.Stats();
    world.Check(stats.accept_failures + stats.accepts_aborted > 0, "failures are counted");
    world.Check((stats.accepts_aborted > 0) == (fault == Fault::kAcceptAborted),
                "peers that are gone are counted apart");
    world.Faults().Stop();
    const TimePoint begin = world.Now();
    Canary canary(stage);
    world.Check(world.Now() - begin < std::chrono::seconds(1), "it is back within a second");
    canary.CheckStillServed();
  });
  CHECK(CountOf(faults, fault) > 40);
}

TEST_CASE("a connect that fails never calls OnConnected, and its error names the address",
          "[sim][row32]") {
  const Fault fault = GENERATE(Fault::kConnectRefused, Fault::kConnectTimedOut);
  INFO(ToString(fault));
  SimOptions options;
  options.client.timeout = milliseconds(1'000);
  UnderSeeds(
      40,
      [fault](SimWorld& world, const StageRef& stage) {
        world.Listen(kPort, Make(stage, EchoRole()));
        world.Faults().SetRate(fault, 1.0);
        std::vector<StreamRef> clients;
        for (int count = 0; count < 5; ++count) clients.push_back(Connect(stage));
        world.Check(
            world.RunUntil([&] { return stage->clients_ended == 5; }, std::chrono::seconds(8)),
            "all are told");
        for (const StreamRef& client : clients) {
          const CloseInfo& info = client->Info();
          world.Check(!client->WasConnected(), "none was connected");
          world.Check(info.reason == (fault == Fault::kConnectRefused ? CloseReason::kConnectFailed
                                                                      : CloseReason::kTimedOut),
                      "the reason has a name");
          world.Check(info.error.Message().find(":7000") != std::string::npos,
                      "the error names the address");
        }
      },
      options);
}

}  // namespace
}  // namespace netcore::test
