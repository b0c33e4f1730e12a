// SessionManager: who is found, when, and by which id.
#include <set>

#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

TEST_CASE("an id finds its session in every hook but the last", "[session][manager]") {
  std::atomic<int> wrong{0};
  std::atomic<int> hooks{0};
  const auto check = [&](TestSession& session, bool found) {
    ++hooks;
    const std::shared_ptr<SessionManager> manager = session.Manager();
    const SessionRef expected = found ? session.shared_from_this() : nullptr;
    if (manager->Find(session.Id()) != expected) ++wrong;
    if ((manager->Count() == 1) != found) ++wrong;
  };
  WorldOptions options;
  options.hooks.on_connected = [&](TestSession& session) { check(session, true); };
  options.hooks.on_recv = [&](TestSession& session, std::span<std::byte>) { check(session, true); };
  options.hooks.on_disconnected = [&](TestSession& session, const CloseInfo&) {
    check(session, false);
  };
  OnAllBackends(options, [&](World& world) {
    hooks = 0;
    CHECK(world.service->Sessions()->Count() == 0);
    // A client that does not see the end before it is told to.
    const World::Pair pair =
        world.ConnectPair({.on_connected = [](TestSession& client) { client.PauseRecv(); }});
    CHECK(pair.server->Manager() == world.service->Sessions());
    CHECK(pair.client->Manager() == world.connector->Sessions());
    CHECK(world.service->Sessions()->Find(pair.server->Id()) == pair.server);
    CHECK(world.connector->Sessions()->Find(pair.client->Id()) == pair.client);
    pair.client->SendText("x");
    REQUIRE(world.WaitFor([&] { return pair.server->ReceivedBytes() == 1; }));
    // One that is ending is still there.
    pair.server->PauseRecv();
    pair.server->Disconnect();
    CHECK(world.service->Sessions()->Find(pair.server->Id()) == pair.server);
    pair.client->ResumeRecv();
    REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
    CHECK(world.service->Sessions()->Find(pair.server->Id()) == nullptr);
    CHECK(world.service->Sessions()->Find({}) == nullptr);
    CHECK(pair.server->Id());
    CHECK(hooks == 3);
    CHECK(wrong == 0);
  });
}

TEST_CASE("a connect has an id while it is under way, and is found when it is there",
          "[session][manager]") {
  OnAllBackends({}, [](World& world) {
    CHECK(world.connector->Sessions() == nullptr);
    const TestSessionRef client = world.Connect();
    const SessionId id = client->Id();
    CHECK(id);
    REQUIRE(world.WaitFor([&] { return client->WasConnected(); }));
    CHECK(client->Id() == id);
    CHECK(world.connector->Sessions()->Find(id) == client);

    // One that fails gives its slot back, and was never found.
    auto refused = std::make_shared<TestSession>();
    const Endpoint nobody = Endpoint::LoopbackIpv4(1);
    REQUIRE_FALSE(world.connector->Connect(nobody, refused));
    CHECK(world.connector->Sessions()->Find(refused->Id()) == nullptr);
    REQUIRE(world.WaitFor([&] { return refused->Ended(); }));
    CHECK(world.connector->Sessions()->Find(refused->Id()) == nullptr);
    CHECK(world.connector->Sessions()->Count() == 1);
  });
}

TEST_CASE("the next session of a slot is not found by the id of the one before",
          "[session][manager]") {
  OnAllBackends({}, [](World& world) {
    std::set<SessionId> ids;
    std::set<std::uint64_t> slots;
    for (int times = 0; times < 20; ++times) {
      const World::Pair pair = world.ConnectPair();
      for (const SessionId old : ids) CHECK(world.service->Sessions()->Find(old) == nullptr);
      CHECK(ids.insert(pair.server->Id()).second);
      slots.insert(pair.server->Id().Worker() << 32U | pair.server->Id().Slot());
      pair.client->Disconnect(CloseReason::kLocal, Closing::kAbort);
      REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
    }
    CHECK(slots.size() <= 2);  // one a worker
  });
}

TEST_CASE("ForEach calls for all that are there, and what it calls may end them",
          "[session][manager]") {
  OnAllBackends({}, [](World& world) {
    std::set<SessionRef> expected;
    for (int times = 0; times < 50; ++times) expected.insert(world.ConnectPair().server);
    const std::shared_ptr<SessionManager> manager = world.service->Sessions();
    CHECK(manager->Count() == 50);
    std::set<SessionRef> seen;
    const auto here = std::this_thread::get_id();
    manager->ForEach([&](const SessionRef& session) {
      CHECK(std::this_thread::get_id() == here);
      CHECK(seen.insert(session).second);
      CHECK(manager->Find(session->Id()) != nullptr);  // nothing is locked
      session->Disconnect(CloseReason::kKicked);
    });
    CHECK(seen == expected);
    REQUIRE(world.WaitFor([&] { return manager->Count() == 0; }));
    manager->ForEach([&](const SessionRef&) { FAIL("nobody is there"); });
    REQUIRE(world.WaitFor([&] { return world.AllEnded(); }));
    CHECK(world.service->Stats().Ended(CloseReason::kKicked) == 50);
  });
}

TEST_CASE("ForEach passes on what its action throws", "[session][manager]") {
  OnMemory({}, [](World& world) {
    world.ConnectPair();
    CHECK_THROWS_AS(world.service->Sessions()->ForEach([](const SessionRef&) { throw 7; }), int);
  });
}

TEST_CASE("a manager outlives its service, and is empty then", "[session][manager]") {
  std::shared_ptr<SessionManager> manager;
  TestSessionRef server;
  const auto body = [&](World& world) {
    server = world.ConnectPair().server;
    manager = world.service->Sessions();
    CHECK(manager->Join(GroupId{1}, server));
  };
  OnMemory({}, body);
  CHECK(manager->Count() == 0);
  CHECK(manager->GroupCount() == 0);
  CHECK(manager->Find(server->Id()) == nullptr);
  CHECK_FALSE(manager->Join(GroupId{1}, server));
  manager->Leave(GroupId{1}, server);
  manager->LeaveAll(server);
  CHECK(manager->Broadcast(GroupId{1}, SendBuffer::Copy(AsBytes("x"))));
  CHECK(manager->BroadcastAll(SendBuffer::Copy(AsBytes("x"))));
  CHECK(server->Manager() == manager);
}

TEST_CASE("ids are looked up from four threads while their sessions come and go",
          "[session][manager]") {
  OnRealBackends({}, [](World& world) {
    const std::shared_ptr<SessionManager> manager = world.service->Sessions();
    std::mutex mutex;
    std::vector<std::pair<SessionId, TestSessionRef>> known;
    std::atomic<bool> done{false};
    std::atomic<std::size_t> found{0};
    std::atomic<std::size_t> wrong{0};
    std::vector<std::thread> threads;
    for (unsigned index = 0; index < 4; ++index) {
      threads.emplace_back([&, index] {
        std::mt19937 random(index);
        while (!done) {
          std::pair<SessionId, TestSessionRef> one;
          {
            const std::lock_guard lock(mutex);
            if (known.empty()) continue;
            one = known[random() % known.size()];
          }
          const bool ended = one.second->Ended();
          const SessionRef session = manager->Find(one.first);
          if (session != nullptr) ++found;
          if (session != nullptr && (session != one.second || ended)) ++wrong;
          if (random() % 64 == 0) {
            for (const SessionRef& each : manager->Snapshot()) {
              if (each == nullptr || !each->Id()) ++wrong;
            }
          }
        }
      });
    }
    for (int times = 0; times < 150; ++times) {
      const World::Pair pair = world.ConnectPair();
      {
        const std::lock_guard lock(mutex);
        known.emplace_back(pair.server->Id(), pair.server);
      }
      if (times % 3 != 0) pair.client->Disconnect(CloseReason::kLocal, Closing::kAbort);
    }
    CHECK(world.WaitFor([&] { return manager->Count() == 50; }));
    CHECK(Eventually([&] { return found > 0; }));
    done = true;
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
  });
}

}  // namespace
}  // namespace netcore::test
