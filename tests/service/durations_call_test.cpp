// Every function that takes a duration: with the least, with a negative one, with zero and with the
// greatest one. Those among the options are in durations_test.cpp.
#include <array>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "netcore/sim/simulate.h"
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

constexpr int kCallPort = 7'000;
constexpr std::uint64_t kCallSeed = 15;
constexpr std::chrono::hours kManyYears{24 * 365 * 100};

constexpr std::array kNoTime = {milliseconds::min(), milliseconds(-1), milliseconds(0)};

// The last one is the first that does not go into nanoseconds.
constexpr std::array kAllTime = {kForever, kForever - milliseconds(1),
                                 milliseconds(9'223'372'036'855)};

CoreOptions OneWorker(std::shared_ptr<PortFactory> port_factory) {
  CoreOptions options;
  options.threads = 1;
  options.hook_time_limit = {};
  options.port_factory = std::move(port_factory);
  return options;
}

SimReport RunWithoutFaults(const std::function<void(SimWorld&)>& scenario) {
  SimOptions options;
  options.faults = false;
  options.client.session.close_timeout = {};
  options.client.session.send_stall_timeout = {};
  return Simulate(kCallSeed, scenario, options);
}

TEST_CASE("a Dispatch does not wait for zero or less, and for ever until something is there",
          "[durations]") {
  for (const Backend backend : RealBackends()) {
    DYNAMIC_SECTION(ToString(backend)) {
      IocpCore core(OneWorker(NewFactory(backend)));
      REQUIRE_FALSE(core.Open());
      for (const milliseconds timeout : kNoTime) {
        CHECK(core.Dispatch(timeout) == DispatchStatus::kTimedOut);
      }
      const std::shared_ptr<Inbox> inbox = core.Workers()->At(0).GetInbox();
      for (const milliseconds timeout : kAllTime) {
        std::thread other([&] { CHECK(inbox->Push([] {})); });
        DispatchStatus status = core.Dispatch(timeout);
        while (status == DispatchStatus::kTimedOut) status = core.Dispatch(timeout);
        other.join();
        CHECK(status == DispatchStatus::kHandled);
      }
    }
  }
}

TEST_CASE(
    "a Dispatch that finds no free worker does not wait for zero or less, and for ever until "
    "the core stops",
    "[durations]") {
  for (const milliseconds timeout : kAllTime) {
    IocpCore core(OneWorker(NewFactory(RealBackends().front())));
    REQUIRE(core.Dispatch(milliseconds(0)) == DispatchStatus::kTimedOut);  // takes the only worker
    std::array<DispatchStatus, 3> at_once{};
    DispatchStatus last = DispatchStatus::kHandled;
    std::atomic<bool> waits{false};
    std::thread other([&] {
      for (std::size_t i = 0; i < kNoTime.size(); ++i) at_once[i] = core.Dispatch(kNoTime[i]);
      waits = true;
      last = core.Dispatch(timeout);
    });
    CHECK(Eventually([&] { return waits.load(); }));
    core.Stop();
    other.join();
    for (const DispatchStatus status : at_once) CHECK(status == DispatchStatus::kTimedOut);
    CHECK(last == DispatchStatus::kStopped);
  }
}

TEST_CASE("a port's Dispatch and its deadline take a duration of any unit", "[durations]") {
  const auto net = std::make_shared<MemoryNet>();
  MemoryFactory factory(net);
  std::unique_ptr<CompletionPort> port;
  REQUIRE_FALSE(factory.MakePort(port));
  REQUIRE_FALSE(port->AttachThread());
  const TimePoint begin = net->Now();
  for (const milliseconds timeout : kNoTime) {
    CHECK(port->DeadlineIn(timeout) == kNoWait);
    CHECK(port->Dispatch(timeout) == 0);
  }
  CHECK(port->DeadlineIn(std::chrono::hours::min()) == kNoWait);
  CHECK(port->DeadlineIn(Duration::min()) == kNoWait);
  CHECK(net->Now() == begin);
  for (const milliseconds timeout : kAllTime) CHECK(port->DeadlineIn(timeout) == kNever);
  CHECK(port->DeadlineIn(std::chrono::hours::max()) == kNever);
  CHECK(port->DeadlineIn(Duration::max()) == kNever);
  CHECK(port->DeadlineIn(std::chrono::seconds(5)) == begin + std::chrono::seconds(5));
  CHECK(port->DeadlineIn(kManyYears) == begin + kManyYears);
}

// A client and a server, each of which has more to send than the other one takes.
struct Blocked {
  explicit Blocked(SimWorld& world) {
    SessionOptions options;
    options.close_timeout = {};
    options.send_stall_timeout = {};
    Hooks hooks;
    hooks.on_connected = [this](TestSession& session) {
      session.PauseRecv();
      session.SendText(text);
    };
    service = &world.Listen(
        kCallPort, [=, this] { return server = std::make_shared<TestSession>(hooks); }, options);
    client = std::make_shared<TestSession>(hooks);
    world.Check(!world.Connect(kCallPort, client), "a connect begins");
    const auto both = [this] {
      return client->WasConnected() && server != nullptr && server->WasConnected();
    };
    world.Check(world.RunUntil(both), "a connect succeeds");
    world.RunFor(milliseconds(100));
  }

  const std::string text = RandomText(200'000, 1);
  Service* service = nullptr;
  TestSessionRef client;
  TestSessionRef server;
};

TEST_CASE("a Stop with a deadline of zero or less resets at once, with one of ever never",
          "[durations]") {
  const bool of_clients = GENERATE(false, true);
  const auto stop = [of_clients](SimWorld& world, Blocked& blocked, milliseconds deadline) {
    if (of_clients) {
      world.Clients().Stop(deadline);
    } else {
      blocked.service->Stop(deadline);
    }
    return of_clients ? blocked.client : blocked.server;
  };
  for (const milliseconds deadline : kNoTime) {
    INFO(of_clients << " " << deadline.count());
    const SimReport report = RunWithoutFaults([&](SimWorld& world) {
      Blocked blocked(world);
      const TestSessionRef stopped = stop(world, blocked, deadline);
      world.Check(world.RunUntil([&] { return stopped->Ended(); }, milliseconds(50)), "it ends");
      world.Check(stopped->Info().reason == CloseReason::kServiceStopping, "by the stop");
      world.Check(stopped->Info().bytes_unsent > 0, "and is cut");
      blocked.client->ResumeRecv();
      blocked.server->ResumeRecv();
    });
    INFO(report.Text());
    CHECK(report.Ok());
  }
  for (const milliseconds deadline :
       {kAllTime[0], kAllTime[1], kAllTime[2], milliseconds(kManyYears)}) {
    INFO(of_clients << " " << deadline.count());
    const SimReport report = RunWithoutFaults([&](SimWorld& world) {
      Blocked blocked(world);
      const TestSessionRef stopped = stop(world, blocked, deadline);
      world.RunFor(kManyYears / 2);
      world.Check(!stopped->Ended(), "it waits for its peer");
      blocked.client->ResumeRecv();
      blocked.server->ResumeRecv();
      world.Check(world.RunUntil([&] { return stopped->Ended(); }), "it ends when all is sent");
      world.Check(stopped->Info().bytes_unsent == 0, "and is not cut");
    });
    INFO(report.Text());
    CHECK(report.Ok());
  }
}

TEST_CASE("WaitStopped after a Stop for ever waits for the last session", "[durations]") {
  const milliseconds deadline = GENERATE(kAllTime[0], kAllTime[1], kAllTime[2]);
  OnAllBackends({}, [deadline](World& world) {
    const World::Pair pair = world.ConnectPair();
    world.service->Stop(deadline);
    const StopReport report = world.service->WaitStopped();
    CHECK(report.complete);
    CHECK(report.sessions_ended == 1);
    CHECK(pair.server->Info().reason == CloseReason::kServiceStopping);
    CHECK(world.WaitFor([&] { return pair.client->Ended(); }));
    CHECK(pair.client->Info().reason == CloseReason::kPeerClosed);
    world.connector->Stop(deadline);
    CHECK(world.connector->WaitStopped().complete);
  });
}

TEST_CASE("a simulation runs for no time, and for ever until nothing is left to do",
          "[durations]") {
  const SimReport report = RunWithoutFaults([](SimWorld& world) {
    const TimePoint begin = world.Now();
    int called = 0;
    for (const milliseconds time : kNoTime) {
      world.RunFor(time);
      world.Check(!world.RunUntil([] { return false; }, time), "what does not hold");
      world.Check(world.RunUntil([] { return true; }, time), "what holds");
      world.After(time, [&called] { ++called; });
      world.Net()->Advance(time);
    }
    world.Check(world.Now() == begin && called == 0, "no time has passed");
    world.RunFor(milliseconds(1));
    world.Check(called == 3, "a delay of no time is over");
    for (const milliseconds time : kAllTime) {
      world.After(time, [&called] { called += 100; });
      world.After(std::chrono::hours::max(), [&called] { called += 100; });
      world.After(kManyYears / 4, [&called] { ++called; });
      world.RunFor(time);
      world.After(kManyYears / 4, [&called] { ++called; });
      world.Check(!world.RunUntil([] { return false; }, time), "nothing is left to do");
    }
    world.Check(called == 9, "all is done but what is never due");
    world.Check(world.Now() >= begin + kManyYears, "each in its time");
    world.RunFor(std::chrono::hours(1));
    world.Check(world.Now() >= begin + kManyYears + std::chrono::hours(1), "the clock goes on");
  });
  INFO(report.Text());
  CHECK(report.Ok());
}

TEST_CASE("a simulation at the end of time still comes to its own end", "[durations]") {
  const SimReport report = RunWithoutFaults([](SimWorld& world) {
    Blocked blocked(world);
    world.Net()->Advance(kForever);
    world.Check(world.Now() < kNever, "the clock does not say never");
    blocked.client->ResumeRecv();
    blocked.server->ResumeRecv();
    const auto served = [&] { return blocked.client->ReceivedBytes() == blocked.text.size(); };
    world.Check(world.RunUntil(served, kForever), "what needs no time is done");
  });
  INFO(report.Text());
  CHECK(report.Ok());
}

TEST_CASE("a drawn time is below its bound, whatever that is", "[durations]") {
  const SimReport report = RunWithoutFaults([](SimWorld& world) {
    for (const milliseconds longest : kNoTime) {
      world.Check(world.DrawTime(longest) == Duration::zero(), "nothing is below zero");
    }
    Duration largest{};
    for (int i = 0; i < 1'000; ++i) {
      const Duration drawn = world.DrawTime(std::chrono::hours(3));
      world.Check(drawn >= Duration::zero() && drawn < std::chrono::hours(3), "below three hours");
      largest = std::max(largest, drawn);
      world.Check(world.DrawTime(kForever) >= Duration::zero(), "of a bound without an end");
      world.Check(world.DrawTime(std::chrono::nanoseconds(999)) == Duration::zero(), "in us");
    }
    world.Check(largest > std::chrono::hours(2), "also above 32 bits of microseconds");
  });
  INFO(report.Text());
  CHECK(report.Ok());
}

}  // namespace
}  // namespace netcore::test
