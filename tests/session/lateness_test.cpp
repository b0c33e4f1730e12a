// Time that the server has spent, in a long hook or because its process was stopped, ends nobody
// whose bytes were there.
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "netcore/sim/memory_net.h"
#include "tests/support/busy.h"
#include "tests/support/scripted_port.h"
#include "tests/support/test_packets.h"
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

// A memory world whose time passes where a test says so.
struct LateWorld {
  explicit LateWorld(WorldOptions options)
      : factory(std::make_shared<ScriptedFactory>(script)), world(factory, std::move(options)) {}

  void Pass(milliseconds time) { factory->Net()->Advance(time); }

  // The next round's look at the port brings nothing, but takes so long: the process was stopped.
  void Stop(milliseconds time) {
    script.dispatches.push_back([this, time]() -> std::size_t {
      Pass(time);
      return 0;
    });
    world.core->Dispatch(milliseconds::zero());
  }

  // A hook that takes so long.
  void PostLongHook(TestSession& session, milliseconds time, std::function<void()> then = {}) {
    const bool posted = session.Post([this, time, act = std::move(then)] {
      Pass(time);
      if (act) act();
    });
    REQUIRE(posted);
  }

  PortScript script;
  std::shared_ptr<ScriptedFactory> factory;
  World world;
};

TEST_CASE("clients whose bytes wait in their sockets are not idle, whenever a stop ends",
          "[session][late]") {
  constexpr std::size_t kClients = 300;
  WorldOptions options;
  options.server.idle_timeout = milliseconds(3'000);
  LateWorld late(options);
  World& world = late.world;
  for (std::size_t i = 0; i < kClients; ++i) world.Connect();
  REQUIRE(world.WaitFor([&] { return world.service->Stats().sessions == kClients; }));
  world.RunFor(milliseconds(2'000));
  for (const TestSessionRef& client : world.Clients()) client->SendText("x");
  REQUIRE(world.WaitFor([&] {
    std::size_t waiting = 0;
    for (const TestSessionRef& client : world.Clients()) waiting += client->QueuedBytes();
    return waiting == 0;
  }));
  const auto unread = [&] {
    std::size_t count = 0;
    for (const TestSessionRef& server : world.Servers()) count += server->ReceivedBytes() == 0;
    return count;
  };
  REQUIRE(unread() > 0);
  late.Stop(milliseconds(1'400));  // those have been silent for 3.4 s, as far as the server knows
  CHECK(world.WaitFor([&] { return unread() == 0; }, milliseconds(100)));
  world.RunFor(milliseconds(1'400));
  CHECK(world.service->Stats().sessions == kClients);
  // And who is silent from here on ends in time.
  world.RunFor(milliseconds(1'750));
  CHECK(world.service->Stats().Ended(CloseReason::kIdleTimeout) == kClients);
  world.Finish();
}

TEST_CASE("a client that was silent is idle when a stop ends", "[session][late]") {
  WorldOptions options;
  options.server.idle_timeout = milliseconds(3'000);
  LateWorld late(options);
  const World::Pair pair = late.world.ConnectPair();
  late.Stop(milliseconds(3'400));
  CHECK(late.world.WaitFor([&] { return pair.server->Ended(); }, milliseconds(50)));
  CHECK(pair.server->Info().reason == CloseReason::kIdleTimeout);
  late.world.Finish();
}

TEST_CASE("connects that were done while nobody looked have not timed out", "[session][late]") {
  WorldOptions options;
  options.connect_timeout = milliseconds(1'000);
  options.accept_depth = 200;
  LateWorld late(options);
  World& world = late.world;
  for (int i = 0; i < 100; ++i) world.Connect();
  late.Stop(milliseconds(0));  // they are submitted
  late.Stop(milliseconds(1'500));
  const auto connected = [&] {
    std::size_t count = 0;
    for (const TestSessionRef& client : world.Clients()) count += client->WasConnected() ? 1 : 0;
    return count;
  };
  CHECK(world.WaitFor([&] { return connected() == 100; }, milliseconds(1'000)));
  world.Finish();
}

TEST_CASE("an end that was asked for behind a long hook has all of its time", "[session][late]") {
  WorldOptions options;
  options.server.max_send_queue_bytes = 0;
  options.server.close_timeout = milliseconds(1'000);
  options.server.idle_timeout = milliseconds(100'000);  // has the time read early in the round
  LateWorld* world_of_hook = nullptr;
  const std::string text = RandomText(900'000, 3);
  options.hooks.on_recv = [&](TestSession& session, std::span<std::byte>) {
    world_of_hook->Pass(milliseconds(1'200));
    session.SendText(text);
    session.Disconnect();
  };
  LateWorld late(options);
  world_of_hook = &late;
  const World::Pair pair = late.world.ConnectPair();
  pair.client->SendText("?");
  REQUIRE(late.world.WaitFor([&] { return pair.client->Ended() && pair.server->Ended(); }));
  CHECK((pair.client->Received() == text));
  CHECK(pair.client->Info().reason == CloseReason::kPeerClosed);
  CHECK(pair.server->Info().bytes_unsent == 0);
  late.world.Finish();
}

TEST_CASE("a connect that was asked for behind a long hook has all of its time",
          "[session][late]") {
  WorldOptions options;
  options.connect_timeout = milliseconds(1'000);
  options.server.idle_timeout = milliseconds(100'000);
  LateWorld late(options);
  World& world = late.world;
  const World::Pair pair = world.ConnectPair();
  TestSessionRef client;
  pair.client->SendText("x");  // has the time read early in the round
  late.PostLongHook(*pair.server, milliseconds(1'200), [&] { client = world.Connect(); });
  CHECK(world.WaitFor([&] { return client != nullptr && client->WasConnected(); },
                      milliseconds(1'000)));
  world.Finish();
}

TEST_CASE("a packet whose rest waits in the socket is whole, whenever a stop ends",
          "[packet_session][late]") {
  PacketFormat format = PacketFormat::TypeLengthPayload();
  format.max_payload_size = 1'000'000;
  WorldOptions options;
  options.server.frame_timeout = milliseconds(1'000);
  PacketServer server(format);
  LateWorld late(server.Options(options));
  World& world = late.world;
  const PacketServer::Pair pair = server.ConnectPair(world);
  const std::string packet = PacketText(format, 1, RandomText(200'000, 5));
  pair.client->SendText(packet.substr(0, 100));
  REQUIRE(world.WaitFor([&] { return pair.client->QueuedBytes() == 0; }));
  world.RunFor(milliseconds(500));
  pair.client->SendText(packet.substr(100));
  late.Stop(milliseconds(0));
  late.Stop(milliseconds(3'000));
  CHECK(world.WaitFor([&] { return pair.server->Count() == 1; }, milliseconds(500)));
  CHECK_FALSE(pair.server->Ended());
  world.Finish();
}

TEST_CASE("one long hook ends no client whose bytes came meanwhile", "[session][late]") {
  constexpr std::size_t kClients = 200;
  WorldOptions options;
  options.threads = 1;
  options.server.idle_timeout = milliseconds(5'000);
  OnRealBackends(options, [&](World& world) {
    World elsewhere(NewFactory(world.GetBackend()), WorldOptions{});
    std::vector<TestSessionRef> clients;
    for (std::size_t i = 0; i < kClients; ++i) {
      clients.push_back(std::make_shared<TestSession>());
      REQUIRE_FALSE(elsewhere.connector->Connect(world.Address(), clients.back()));
    }
    for (const TestSessionRef& client : clients) {
      REQUIRE(Eventually([&] { return client->WasConnected(); }));
    }
    REQUIRE(Eventually([&] { return world.service->Stats().sessions == kClients; }));
    {
      const Busy busy(*world.Servers().front());
      for (const TestSessionRef& client : clients) client->SendText("x");
      const auto sent = [&] {
        std::size_t bytes = 0;
        for (const TestSessionRef& client : clients) bytes += client->SentBytes();
        return bytes;
      };
      REQUIRE(Eventually([&] { return sent() == kClients; }));
      std::this_thread::sleep_for(options.server.idle_timeout + milliseconds(200));
    }
    const auto received = [&] {
      std::size_t bytes = 0;
      for (const TestSessionRef& server : world.Servers()) bytes += server->ReceivedBytes();
      return bytes;
    };
    const auto ended = [&] { return world.service->Stats().Ended(CloseReason::kIdleTimeout); };
    REQUIRE(Eventually([&] { return received() == kClients || ended() > 0; }));
    CHECK(received() == kClients);
    elsewhere.Finish();
  });
}

}  // namespace
}  // namespace netcore::test
