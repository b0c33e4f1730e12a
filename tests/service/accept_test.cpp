// Accepting: limits, factories that fail, and accepts that fail.
#include <stdexcept>

#include "tests/support/scripted_port.h"
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

TEST_CASE(
    "one session more than max_sessions is closed cleanly and counted, and the place is reusable",
    "[service]") {
  WorldOptions options;
  options.max_sessions = 3;
  OnAllBackends(options, [](World& world) {
    std::vector<World::Pair> pairs;
    for (int i = 0; i < 3; ++i) pairs.push_back(world.ConnectPair());
    const TestSessionRef refused = world.Connect();
    REQUIRE(world.WaitFor([&] { return refused->Ended(); }));
    CHECK(refused->WasConnected());
    CHECK(refused->Info().reason == CloseReason::kPeerClosed);
    CHECK(world.service->Stats().refused == 1);
    CHECK(world.service->Stats().sessions == 3);
    CHECK(world.Servers().size() == 3);

    pairs[0].client->Disconnect();
    REQUIRE(world.WaitFor([&] { return pairs[0].server->Ended(); }));
    REQUIRE(world.WaitFor([&] { return world.service->Stats().sessions == 2; }));
    world.RunFor(milliseconds(20));
    const World::Pair again = world.ConnectPair();
    again.server->SendText("in");
    CHECK(world.WaitFor([&] { return again.client->Received() == "in"; }));
    CHECK(world.service->Stats().refused == 1);
    CHECK(world.service->Stats().peak_sessions == 3);
  });
}

TEST_CASE("a factory that throws, returns null or an old session costs one connection only",
          "[service]") {
  const int fault = GENERATE(0, 1, 2, 3);
  INFO("fault " << fault);
  std::atomic<bool> faulty{false};
  std::mutex mutex;
  TestSessionRef last;
  WorldOptions options;
  options.factory = [&]() -> std::shared_ptr<Session> {
    const std::lock_guard lock(mutex);
    if (faulty) {
      if (fault == 0) throw std::runtime_error("no session today");
      if (fault == 1) throw 7;
      if (fault == 2) return nullptr;
      return last;
    }
    return last = std::make_shared<TestSession>();
  };
  OnAllBackends(options, [&](World& world) {
    faulty = false;
    const TestSessionRef first = world.Connect();
    REQUIRE(world.WaitFor([&] { return world.service->Stats().total_sessions == 1; }));
    faulty = true;
    const TestSessionRef victim = world.Connect();
    REQUIRE(world.WaitFor([&] { return victim->Ended(); }));
    CHECK(world.service->Stats().factory_failures == 1);
    CHECK(world.log.Count("factory") == 1);
    if (fault == 0) CHECK(world.log.Count("no session today") == 1);
    faulty = false;
    const TestSessionRef third = world.Connect();
    REQUIRE(world.WaitFor([&] { return world.service->Stats().total_sessions == 2; }));
    first->SendText("x");
    world.RunFor(milliseconds(10));
    CHECK_FALSE(first->Ended());
    CHECK_FALSE(third->Ended());
  });
  last.reset();
}

TEST_CASE("a factory that disconnects what it makes harms nothing", "[service]") {
  WorldOptions options;
  options.factory = []() -> std::shared_ptr<Session> {
    auto session = std::make_shared<TestSession>();
    session->Disconnect(CloseReason::kKicked, Closing::kAbort);  // not begun: does nothing
    return session;
  };
  OnMemory(options, [](World& world) {
    const TestSessionRef client = world.Connect();
    REQUIRE(world.WaitFor([&] { return world.service->Stats().sessions == 1; }));
    CHECK(client->WasConnected());
  });
}

TEST_CASE("accepts that find no descriptors back off without a spin and recover within a second",
          "[service]") {
  PortScript script;
  WorldOptions options;
  options.accept_depth = 100;
  World world(std::make_shared<ScriptedFactory>(script), options);
  const World::Pair before = world.ConnectPair();
  const ErrorCode code = GENERATE(ErrorCode::kTooManyFiles, ErrorCode::kNoBuffers);
  script.accept_error = code;
  // The accepts that are posted already succeed; what is posted after them fails.
  for (std::size_t i = 0; i < options.accept_depth; ++i) world.Connect();
  world.RunFor(milliseconds(1'000));
  const std::size_t submitted = script.accepts_submitted;
  world.RunFor(milliseconds(10'000));
  const std::size_t probes = script.accepts_submitted - submitted;
  CHECK(probes >= 15);
  CHECK(probes <= 25);  // one each half second
  CHECK(world.service->Stats().accept_failures >= probes);
  CHECK(world.log.Count("trying again") == 1);

  const TestSessionRef waiting = world.Connect();
  before.server->SendText("goes on");
  CHECK(world.WaitFor([&] { return before.client->Received() == "goes on"; }));
  const std::size_t total = world.service->Stats().total_sessions;
  script.accept_error = ErrorCode::kNone;
  CHECK(world.WaitFor([&] { return world.service->Stats().total_sessions > total; },
                      milliseconds(1'000)));
  // All of them are posted again.
  const std::size_t now = script.accepts_submitted;
  world.RunFor(milliseconds(1'000));
  CHECK(script.accepts_submitted <= now + 100);
  CHECK(world.log.Count("works again") == 0);  // not before it has lasted
  world.RunFor(milliseconds(10'000));
  CHECK(world.log.Count("works again") == 1);
  CHECK(waiting->WasConnected());
  world.Finish();
}

TEST_CASE("a listener that finds no memory to begin with listens a little later", "[service]") {
  PortScript script;
  script.adopts_to_refuse = 3;
  World world(std::make_shared<ScriptedFactory>(script), {});
  CHECK(world.WaitFor([&] { return script.accepts_submitted > 0; }, milliseconds(1'000)));
  CHECK(script.adopts_to_refuse == 0);
  CHECK(world.log.Count("trying again") == 1);
  world.ConnectPair();
  world.Finish();
}

// On each way that a port has to tell of a peer that was gone: the accept completes, or stays
// posted.
enum class AbortForm { kCompletes, kStaysPosted };

void Abort(PortScript& script, AbortForm form, std::size_t count) {
  if (form == AbortForm::kStaysPosted) {
    script.aborts_left = count;
  } else {
    script.accept_error = ErrorCode::kConnectionAborted;
    script.accept_errors_left = count;
  }
}

std::size_t AbortsLeft(const PortScript& script, AbortForm form) {
  return form == AbortForm::kStaysPosted ? script.aborts_left : script.accept_errors_left;
}

TEST_CASE("two thousand peers that are gone before their accept delay nobody", "[service]") {
  const AbortForm form = GENERATE(AbortForm::kCompletes, AbortForm::kStaysPosted);
  constexpr std::size_t kCount = 2'000;
  PortScript script;
  WorldOptions options;
  options.accept_depth = 8;
  World world(std::make_shared<ScriptedFactory>(script), options);
  world.ConnectPair();
  Abort(script, form, kCount);
  // Those accepts that are posted already are used up by clients, so that others are posted.
  for (std::size_t i = 0; i < options.accept_depth; ++i) world.Connect();
  // Less virtual time than the shortest back-off.
  CHECK(world.WaitFor([&] { return AbortsLeft(script, form) == 0; }, milliseconds(10)));
  const std::size_t total = world.service->Stats().total_sessions;
  const TestSessionRef client = world.Connect();
  CHECK(world.WaitFor([&] { return client->WasConnected(); }, milliseconds(10)));
  CHECK(world.WaitFor([&] { return world.service->Stats().total_sessions > total; },
                      milliseconds(10)));
  CHECK(world.service->Stats().accepts_aborted == kCount);
  CHECK(world.service->Stats().accept_failures == 0);
  CHECK(world.log.Count("accept") == 0);
  world.Finish();
}

TEST_CASE("a peer that is gone ends a back-off, as the system had what its accept took",
          "[service]") {
  const AbortForm form = GENERATE(AbortForm::kCompletes, AbortForm::kStaysPosted);
  PortScript script;
  WorldOptions options;
  options.accept_depth = 1;
  World world(std::make_shared<ScriptedFactory>(script), options);
  world.ConnectPair();
  script.accept_error = ErrorCode::kTooManyFiles;
  world.ConnectPair();
  world.RunFor(milliseconds(300));
  REQUIRE(world.service->Stats().accept_failures > 0);
  script.accept_error = ErrorCode::kNone;
  Abort(script, form, 1);
  REQUIRE(world.WaitFor([&] { return AbortsLeft(script, form) == 0; }, milliseconds(1'000)));
  const TestSessionRef client = world.Connect();
  CHECK(
      world.WaitFor([&] { return world.service->Stats().total_sessions == 3; }, milliseconds(10)));
  CHECK(client->WasConnected());
  world.Finish();
}

TEST_CASE("an error that no system documents backs off only when it comes again and again",
          "[service]") {
  const std::size_t count = GENERATE(std::size_t{63}, std::size_t{64});
  PortScript script;
  WorldOptions options;
  options.accept_depth = 1;
  World world(std::make_shared<ScriptedFactory>(script), options);
  world.ConnectPair();
  script.accept_error = ErrorCode::kUnknown;
  script.accept_errors_left = count;
  world.ConnectPair();
  CHECK(world.WaitFor([&] { return world.service->Stats().accept_failures == count; },
                      milliseconds(10)));
  CHECK(world.log.Count("trying again") == (count == 64 ? 1 : 0));
  world.ConnectPair();
  world.Finish();
}

TEST_CASE("an unknown error while backing off does not leave the listener without an accept",
          "[service]") {
  PortScript script;
  WorldOptions options;
  options.accept_depth = 1;
  World world(std::make_shared<ScriptedFactory>(script), options);
  world.ConnectPair();
  script.accept_error = ErrorCode::kTooManyFiles;
  world.ConnectPair();
  world.RunFor(milliseconds(300));
  script.accept_error = ErrorCode::kUnknown;
  script.accept_errors_left = 1;
  REQUIRE(world.WaitFor([&] { return script.accept_errors_left == 0; }, milliseconds(1'000)));
  const TestSessionRef client = world.Connect();
  CHECK(world.WaitFor([&] { return world.service->Stats().total_sessions == 3; },
                      milliseconds(1'100)));
  CHECK(client->WasConnected());
  world.Finish();
}

TEST_CASE("a resource that runs short again and again is told once", "[service]") {
  const ErrorCode code =
      GENERATE(ErrorCode::kTooManyFiles, ErrorCode::kNoBuffers, ErrorCode::kAccessDenied);
  PortScript script;
  WorldOptions options;
  options.accept_depth = 4;
  World world(std::make_shared<ScriptedFactory>(script), options);
  for (int i = 0; i < 50; ++i) {
    script.accept_error = code;
    world.Connect();
    const std::uint64_t before = world.service->Stats().accept_failures;
    world.RunFor(milliseconds(50));
    // Those that were posted together, and one a back-off of 10, 20, 40 ms.
    CHECK(world.service->Stats().accept_failures - before <= options.accept_depth + 3);
    script.accept_error = ErrorCode::kNone;
    world.ConnectPair();
  }
  CHECK(world.log.Count("trying again") == 1);
  CHECK(world.log.Count("works again") == 0);
  const std::uint64_t failures = world.service->Stats().accept_failures;
  CHECK(failures >= 50);
  world.RunFor(milliseconds(10'100));
  CHECK(world.log.Count("works again, after " + std::to_string(failures) + " failures") == 1);
  // The next time is told again.
  script.accept_error = code;
  for (std::size_t i = 0; i <= options.accept_depth; ++i) world.Connect();
  world.RunFor(milliseconds(50));
  CHECK(world.log.Count("trying again") == 2);
  script.accept_error = ErrorCode::kNone;
  world.Finish();
}

TEST_CASE("a stop while accepts fail or back off ends the listener", "[service]") {
  const milliseconds time{GENERATE(10, 15, 200)};
  PortScript script;
  script.accept_error = ErrorCode::kTooManyFiles;
  World world(std::make_shared<ScriptedFactory>(script), {});
  world.RunFor(time);
  world.Finish();
}

}  // namespace
}  // namespace netcore::test
