// The simulation itself: it repeats itself, its clock is its own, and each of its checks trips.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "netcore/sim/memory_factory.h"
#include "netcore/sim/simulate.h"
#include "tests/sim/scenario_parts.h"
#include "tests/sim/scenarios.h"
#include "tests/sim/stream_session.h"
#include "tests/support/catch.h"

namespace netcore::test {
namespace {

class Silent final : public Session {};

TEST_CASE("a seed repeats itself, and another one is another run", "[sim]") {
  for (const Scenario& scenario : kScenarios) {
    INFO(scenario.name);
    const SimReport first = RunScenario(scenario, 42);
    CHECK(RunScenario(scenario, 42).hash == first.hash);
    CHECK(RunScenario(scenario, 43).hash != first.hash);
  }
}

TEST_CASE("a failed check ends the run, and the report says seed, reason and last events",
          "[sim]") {
  const SimReport report = Simulate(77, [](SimWorld& world) {
    world.Listen(kPort, MakeSession<Silent>);
    world.Connect(kPort, std::make_shared<Silent>());
    world.RunFor(std::chrono::milliseconds(100));
    world.Fail("on purpose");
    world.Fail("a second time");
    CHECK_FALSE(world.RunUntil([] { return false; }));
  });
  CHECK_FALSE(report.Ok());
  CHECK(report.failure == "on purpose");
  CHECK(report.Text().find("seed 77: on purpose") == 0);
  CHECK(report.Text().find("accept") != std::string::npos);
}

TEST_CASE("virtual hours pass at once, and RunUntil gives up when nothing can happen", "[sim]") {
  SimOptions options;
  options.faults = false;
  const SimReport report = Simulate(
      5,
      [](SimWorld& world) {
        const TimePoint begin = world.Now();
        CHECK_FALSE(world.RunUntil([] { return false; }));
        bool called = false;
        world.After(std::chrono::hours(5), [&] { called = true; });
        CHECK(world.RunUntil([&] { return called; }, std::chrono::hours(6)));
        CHECK(world.Now() - begin >= std::chrono::hours(5));
        world.RunFor(std::chrono::hours(1));
        CHECK(world.Now() - begin >= std::chrono::hours(6));
      },
      options);
  CHECK(report.Text() == "seed 5: all rules held\n");
}

TEST_CASE("bytes that change while they are sent are found", "[sim]") {
  class Pauses final : public Session {
    void OnConnected() override { PauseRecv(); }
  };
  class Sends final : public Session {
   public:
    SendBufferRef buffer = SendBuffer::Copy(std::vector<std::byte>(500'000));

   private:
    void OnConnected() override { Send(buffer); }
  };
  const SimReport report = Simulate(1, [](SimWorld& world) {
    SessionOptions options;
    options.socket.send_buffer_bytes = 1'000;
    world.Faults().Stop();
    world.Listen(kPort, MakeSession<Pauses>, options);
    const auto client = std::make_shared<Sends>();
    world.Connect(kPort, client);
    world.RunFor(std::chrono::seconds(1));
    std::ranges::fill(client->buffer->Writable(), std::byte{1});
  });
  CHECK(report.failure == "the bytes of a pending send were changed");
}

// Completions of a port that a test drives itself.
class Owner final : public IocpObject {
 public:
  void Dispatch(IocpEvent&, IoResult& result) noexcept override {
    ++count;
    error = result.error;
    if (result.accepted != nullptr) socket = std::move(result.accepted->socket);
  }
  int count = 0;
  Error error;
  OwnedSocket socket;
};

// A connection of two sockets on one port, and the control that watches it.
struct Pair {
  Pair() {
    REQUIRE_FALSE(factory.MakePort(port));
    REQUIRE_FALSE(port->AttachThread());
    OwnedSocket socket;
    Endpoint bound;
    REQUIRE_FALSE(factory.Listen(Endpoint::LoopbackIpv4(0), {}, socket, bound));
    listener = port->Adopt(std::move(socket), {});
    REQUIRE_FALSE(factory.OpenSocket(Endpoint::Family::kIpv4, socket));
    client = port->Adopt(std::move(socket), {});
    port->SubmitAccept(*listener, accept);
    port->SubmitConnect(*client, bound, connect);
    while (owner.count < 2) port->Dispatch(Duration::zero());
    server = port->Adopt(std::move(owner.socket), {});
  }
  ~Pair() {
    for (IocpEvent* event : {&recv, &send}) port->Cancel(*event);
    port->Dispatch(Duration::zero());
  }

  const std::string& Failure() const { return control.trace.Failure(); }

  SimControl control{1};
  MemoryFactory factory{std::make_shared<MemoryNet>(&control)};
  std::unique_ptr<CompletionPort> port;
  Owner owner;
  IocpEvent accept{EventKind::kAccept, owner};
  IocpEvent connect{EventKind::kConnect, owner};
  IocpEvent recv{EventKind::kRecv, owner};
  IocpEvent send{EventKind::kSend, owner};
  PortSocket* listener = nullptr;
  PortSocket* client = nullptr;
  PortSocket* server = nullptr;
};

TEST_CASE("a recv behind the end of its stream is found", "[sim]") {
  Pair pair;
  pair.port->SubmitRecv(*pair.client, pair.recv);
  pair.port->ShutdownSend(*pair.server);
  while (pair.recv.IsPending()) pair.port->Dispatch(Duration::zero());
  CHECK(pair.Failure().empty());
  pair.port->SubmitRecv(*pair.client, pair.recv);
  CHECK(pair.Failure() == "a recv was submitted behind the end of its stream");
}

TEST_CASE("a send behind a FIN is found", "[sim]") {
  const std::array<std::byte, 4> bytes{};
  Pair pair;
  pair.port->ShutdownSend(*pair.client);
  const std::array<SendSlice, 1> slices{SendSlice(bytes)};
  pair.port->SubmitSend(*pair.client, slices, pair.send);
  CHECK(pair.Failure() == "a send was submitted behind the end of its stream");
}

TEST_CASE("a second close of a socket is found", "[sim]") {
  Pair pair;
  pair.port->Close(*pair.client, CloseMode::kGraceful);
  CHECK(pair.Failure().empty());
  pair.port->Close(*pair.client, CloseMode::kGraceful);
  CHECK(pair.Failure() == "a socket was closed twice");
}

TEST_CASE("an operation on a socket that was closed is found", "[sim]") {
  Pair pair;
  pair.port->Close(*pair.client, CloseMode::kGraceful);
  pair.port->SubmitRecv(*pair.client, pair.recv);
  CHECK(pair.Failure() == "an operation was submitted on a socket that was closed");
}

TEST_CASE("an event that is overwritten while it is pending is found", "[sim]") {
  Pair pair;
  auto event = std::make_unique<IocpEvent>(EventKind::kRecv, pair.owner);
  pair.port->SubmitRecv(*pair.client, *event);
  pair.port->Dispatch(Duration::zero());
  CHECK(pair.Failure().empty());
  // What a program would do that took the event for its own too early.
  std::array<std::byte, sizeof(IocpEvent)> kept;
  std::memcpy(kept.data(), static_cast<void*>(event.get()), kept.size());
  std::memset(static_cast<void*>(event.get()), 0, kept.size());
  pair.port->Dispatch(Duration::zero());
  std::memcpy(static_cast<void*>(event.get()), kept.data(), kept.size());
  pair.port->Cancel(*event);
  while (event->IsPending()) pair.port->Dispatch(Duration::zero());
  CHECK(pair.Failure() == "a pending event is gone, or was written to");
}

TEST_CASE("a fault whose rate is zero never happens, one whose rate is one always does", "[sim]") {
  SimRandom random(9);
  FaultPlan plan(random);
  CHECK_FALSE(plan.Happens(Fault::kPeerReset));
  plan.SetRate(Fault::kPeerReset, 1.0);
  for (int count = 0; count < 100; ++count) CHECK(plan.Happens(Fault::kPeerReset));
  plan.Stop();
  CHECK_FALSE(plan.Happens(Fault::kPeerReset));
  CHECK(plan.Total() == 100);
  for (std::size_t size = 1; size < 100; ++size) {
    const std::size_t part = plan.DrawShort(size);
    CHECK((part >= 1 && part <= size && (size == 1 || part < size)));
  }
}

}  // namespace
}  // namespace netcore::test
