// The watchdog: it names a hook that blocks, once, and is silent about the others.
#include "tests/support/longest_gap.h"
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

WorldOptions Watched(milliseconds limit, std::function<void()> in_hook) {
  WorldOptions options;
  options.hook_time_limit = limit;
  options.hooks.on_recv = [in_hook](TestSession&, std::span<std::byte>) { in_hook(); };
  return options;
}

TEST_CASE("a hook that blocks is named in the log, once, and again when it returns",
          "[core][watchdog]") {
  std::atomic<bool> release{false};
  const WorldOptions options = Watched(milliseconds(50), [&] {
    while (!release) std::this_thread::yield();
  });
  OnRealBackends(options, [&](World& world) {
    release = false;
    const World::Pair pair = world.ConnectPair();
    pair.client->SendText("block");
    CHECK(Eventually([&] { return world.log.Count("has not returned") == 1; }));
    CHECK(world.log.Count("OnRecv of session " + pair.server->Id().ToString()) == 1);
    std::this_thread::sleep_for(milliseconds(150));
    CHECK(world.log.Count("has not returned") == 1);
    CHECK(world.log.Count("has returned") == 0);
    release = true;
    CHECK(Eventually([&] { return world.log.Count("OnRecv has returned after") == 1; }));
  });
}

TEST_CASE("of many hooks that block, one a second is named", "[core][watchdog]") {
  WorldOptions options =
      Watched(milliseconds(8), [] { std::this_thread::sleep_for(milliseconds(30)); });
  options.threads = 1;
  World world(NewFactory(RealBackends().front()), options);
  const auto begin = std::chrono::steady_clock::now();
  const World::Pair pair = world.ConnectPair();
  for (std::size_t sent = 1; world.log.LeftOut("has not returned") < 5; ++sent) {
    REQUIRE(sent < 5'000);
    pair.client->SendText("x");
    REQUIRE(world.WaitFor([&] { return pair.server->ReceivedBytes() == sent; }));
  }
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begin);
  CHECK(world.log.Count("has not returned") <= static_cast<std::size_t>(seconds.count()) + 2);
  CHECK(world.log.Count("has returned") <= static_cast<std::size_t>(seconds.count()) + 2);
  world.Finish();
}

TEST_CASE("many short hooks in a row are not one long hook", "[core][watchdog]") {
  constexpr milliseconds kHookLimit{400};
  std::mutex mutex;
  LongestGap gap;
  int hooks = 0;
  const auto mark = [&] {
    const std::lock_guard lock(mutex);
    gap.Mark();
    return ++hooks;
  };
  const auto made = [&] {
    const std::lock_guard lock(mutex);
    return hooks;
  };
  const WorldOptions options = Watched(kHookLimit, [&] {
    std::this_thread::sleep_for(milliseconds(2));
    mark();
  });
  OnRealBackends(options, [&](World& world) {
    const World::Pair pair = world.ConnectPair();
    // On a busy machine a hook that asks for 2 ms may take longer than the limit, and is then named
    // with good reason. A try without so long a gap between the ends of two hooks is one that
    // counts.
    for (int tries = 0; tries < 20; ++tries) {
      const std::size_t before = world.log.Count("has not returned");
      {
        const std::lock_guard lock(mutex);
        gap = LongestGap();
        hooks = 0;
      }
      // Faster than the hooks take them, so that one hook follows the other.
      REQUIRE(Eventually([&] {
        pair.client->SendText("x");
        std::this_thread::sleep_for(milliseconds(1));
        return made() >= 300;
      }));
      mark();
      const std::lock_guard lock(mutex);
      if (gap.Longest() >= kHookLimit) continue;
      CHECK(world.log.Count("has not returned") == before);
      break;
    }
  });
}

TEST_CASE("a log sink that throws harms nobody", "[core][watchdog]") {
  std::atomic<int> lines{0};
  CoreOptions options;
  options.threads = 1;
  options.hook_time_limit = milliseconds(20);
  options.log = [&](LogLevel, std::string_view) {
    ++lines;
    throw std::runtime_error("no room for a log");
  };
  const auto core = std::make_shared<IocpCore>(options);
  REQUIRE_FALSE(core->Run());
  Service service(
      core, std::make_shared<Listener>("127.0.0.1", 0),
      [&]() -> std::shared_ptr<Session> {
        Eventually([&] { return lines > 0; });
        throw std::runtime_error("from the factory");
      },
      4);
  REQUIRE_FALSE(service.Start());
  Connector connector(core);
  auto client = std::make_shared<TestSession>();
  REQUIRE_FALSE(connector.Connect(service.LocalEndpoint(), client));
  CHECK(Eventually([&] { return client->Ended(); }));
  CHECK(lines >= 2);
  core->Stop();
}

}  // namespace
}  // namespace netcore::test
