// Hooks: their order, how often they come, and what happens when one throws or ends its session.
#include <stdexcept>

#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

constexpr const char* kHookNames[] = {"OnConnected", "OnRecv", "OnSend", "OnPeerClosed",
                                      "OnDisconnected"};

// `action` runs in the one hook of that name, and the traffic that makes it come is the same.
Hooks ActIn(std::string_view hook, std::function<void(TestSession&)> action) {
  Hooks hooks;
  hooks.on_connected = [=](TestSession& session) {
    session.SendText("hello");
    if (hook == "OnConnected") action(session);
  };
  if (hook == "OnRecv") hooks.on_recv = [=](TestSession& s, std::span<std::byte>) { action(s); };
  if (hook == "OnSend") hooks.on_send = [=](TestSession& s, std::size_t) { action(s); };
  if (hook == "OnPeerClosed") hooks.on_peer_closed = action;
  if (hook == "OnDisconnected")
    hooks.on_disconnected = [=](TestSession& s, const CloseInfo&) { action(s); };
  return hooks;
}

// Makes every hook of `pair.server` come, in the end OnDisconnected.
void Provoke(World& world, std::string_view hook, const World::Pair& pair) {
  pair.client->SendText("hi");
  if (hook == "OnPeerClosed" || hook == "OnDisconnected") {
    REQUIRE(
        world.WaitFor([&] { return pair.server->ReceivedBytes() > 0 || pair.server->Ended(); }));
    pair.client->ShutdownSend();
  }
  if (hook == "OnDisconnected") {
    REQUIRE(world.WaitFor([&] { return pair.server->Trace().find('P') != std::string::npos; }));
    pair.server->Disconnect();
  }
  REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
}

TEST_CASE("hooks come in order on one thread, the ends once, on both sides", "[session]") {
  WorldOptions options;
  options.server.on_peer_close = PeerClose::kKeepOpen;
  options.hooks.on_recv = [](TestSession& session, std::span<std::byte> bytes) {
    session.Send(bytes);
  };
  OnAllBackends(options, [](World& world) {
    const World::Pair pair = world.ConnectPair();
    CHECK(pair.client->SendText("ping") == SendResult::kQueued);
    REQUIRE(world.WaitFor([&] { return pair.client->Received() == "ping"; }));
    REQUIRE(world.WaitFor([&] { return pair.server->SentBytes() == 4; }));
    pair.client->ShutdownSend();
    REQUIRE(world.WaitFor([&] { return pair.server->Trace().ends_with('P'); }));
    pair.server->Disconnect();
    REQUIRE(world.WaitFor([&] { return pair.client->Ended() && pair.server->Ended(); }));
    CHECK(pair.server->Trace() == "CRSPD");
    const std::string trace = pair.client->Trace();
    CHECK((trace == "CSRD" || trace == "CRSD"));
    CHECK(pair.server->Info().reason == CloseReason::kLocal);
    CHECK(pair.client->Info().reason == CloseReason::kPeerClosed);
    CHECK(pair.client->Id());
    CHECK(pair.client->PeerEndpoint() == world.Address());
    CHECK(pair.server->LocalEndpoint() == world.Address());
  });
}

TEST_CASE("a hook that disconnects ends its session once, gracefully or not", "[session]") {
  const std::string_view hook = GENERATE(from_range(std::begin(kHookNames), std::end(kHookNames)));
  const Closing closing = GENERATE(Closing::kGraceful, Closing::kAbort);
  INFO(hook << (closing == Closing::kAbort ? ", abort" : ", graceful"));
  WorldOptions options;
  options.server.on_peer_close = PeerClose::kKeepOpen;
  options.hooks = ActIn(hook, [closing](TestSession& session) {
    session.Disconnect(CloseReason::kKicked, closing);
    session.Disconnect(CloseReason::kRateLimited, closing);
    CHECK_FALSE(session.IsConnected());
    CHECK(session.SendText("late") == SendResult::kClosing);
  });
  OnMemory(options, [&](World& world) {
    const World::Pair pair = world.ConnectPair();
    Provoke(world, hook, pair);
    const bool before = hook != "OnDisconnected";
    CHECK(pair.server->Info().reason == (before ? CloseReason::kKicked : CloseReason::kLocal));
    CHECK(world.service->Stats().Ended(pair.server->Info().reason) == 1);
    if (closing == Closing::kAbort && before) {
      CHECK(pair.client->Info().reason == CloseReason::kPeerReset);
    } else {
      CHECK(pair.client->Received() == "hello");
      CHECK(pair.client->Info().reason == CloseReason::kPeerClosed);
    }
  });
}

TEST_CASE("a hook that throws ends its own session and nothing else", "[session]") {
  const std::string_view hook = GENERATE(from_range(std::begin(kHookNames), std::end(kHookNames)));
  const bool standard = GENERATE(true, false);
  INFO(hook << (standard ? ", std::exception" : ", an int"));
  WorldOptions options;
  options.server.on_peer_close = PeerClose::kKeepOpen;
  std::atomic<bool> armed{false};
  options.hooks = ActIn(hook, [&armed, standard](TestSession& session) {
    if (!armed.exchange(false)) return;
    static_cast<void>(session);
    if (standard) throw std::runtime_error("thrown on purpose");
    throw 7;
  });
  OnAllBackends(options, [&](World& world) {
    const World::Pair canary = world.ConnectPair();
    REQUIRE(world.WaitFor([&] { return canary.server->SentBytes() == 5; }));
    armed = true;
    const TestSessionRef client = world.Connect();
    // A reset at once may reach the client as a connect that failed.
    REQUIRE(world.WaitFor([&] { return client->WasConnected() || client->Ended(); }));
    REQUIRE(world.WaitFor([&] { return world.Servers().size() == 2; }));
    const TestSessionRef server = world.Servers().back();
    Provoke(world, hook, {client, server});
    const bool before = hook != "OnDisconnected";
    CHECK(server->Info().reason == (before ? CloseReason::kHookThrew : CloseReason::kLocal));
    CHECK(world.WaitFor([&] { return world.log.Count(std::string(hook) + " threw") == 1; }));
    if (standard) CHECK(world.log.Count("thrown on purpose") == 1);

    CHECK(canary.server->SendText(" canary") == SendResult::kQueued);
    CHECK(world.WaitFor([&] { return canary.client->Received() == "hello canary"; }));
  });
}

TEST_CASE("a posted task runs in order with sends, and what it throws ends the session",
          "[session]") {
  OnAllBackends({}, [](World& world) {
    const World::Pair pair = world.ConnectPair();
    std::atomic<bool> ran{false};
    pair.server->SendText("a");
    CHECK(pair.server->Post([&, &server = *pair.server] {
      server.SendText("b");
      ran = true;
    }));
    pair.server->SendText("c");
    REQUIRE(world.WaitFor([&] { return ran.load(); }));
    pair.server->Post([&server = *pair.server] { server.SendText("d"); });
    // "b" was sent when its task ran, behind the "c" that was sent before that.
    REQUIRE(world.WaitFor([&] { return pair.client->Received().size() == 4; }));
    const std::string got = pair.client->Received();
    CHECK((got == "acbd" || got == "abcd"));
    pair.server->Post([] { throw std::runtime_error("thrown on purpose"); });
    REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
    CHECK(pair.server->Info().reason == CloseReason::kHookThrew);
    CHECK(pair.client->Info().reason == CloseReason::kPeerReset);
    bool ran_late = false;
    pair.server->Post([&] { ran_late = true; });
    world.RunFor(milliseconds(20));
    CHECK_FALSE(ran_late);
  });
}

TEST_CASE("a posted task that disconnects ends the session", "[session]") {
  OnAllBackends({}, [](World& world) {
    const World::Pair pair = world.ConnectPair();
    pair.server->SendText("last words");
    pair.server->Post([&server = *pair.server] { server.Disconnect(CloseReason::kKicked); });
    REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
    CHECK(pair.server->Info().reason == CloseReason::kKicked);
    CHECK(pair.client->Received() == "last words");
  });
}

TEST_CASE("another session's OnDisconnected does not run inside the hook that ends it",
          "[session]") {
  const Closing closing = GENERATE(Closing::kGraceful, Closing::kAbort);
  TestSessionRef victim;
  int depth = 0;
  bool nested = false;
  WorldOptions options;
  options.hooks.on_recv = [&](TestSession&, std::span<std::byte>) {
    ++depth;
    victim->Disconnect(CloseReason::kKicked, closing);
    --depth;
  };
  options.hooks.on_disconnected = [&](TestSession&, const CloseInfo&) { nested = depth > 0; };
  OnMemory(options, [&](World& world) {
    const World::Pair a = world.ConnectPair();
    const World::Pair b = world.ConnectPair();
    victim = b.server;
    a.client->SendText("kill");
    REQUIRE(world.WaitFor([&] { return b.server->Ended(); }));
    CHECK(b.server->Info().reason == CloseReason::kKicked);
    CHECK_FALSE(nested);
    CHECK_FALSE(a.server->Ended());
    victim.reset();
  });
}

// Keeps itself by one reference that it drops in the hook of that name.
class SelfOwned final : public Session {
 public:
  SelfOwned(std::string_view hook, std::atomic<int>& alive) : hook_(hook), alive_(alive) {
    ++alive_;
  }
  ~SelfOwned() override { --alive_; }
  void Keep(SessionRef self) { self_ = std::move(self); }

 private:
  void In(std::string_view hook) {
    if (hook != hook_) return;
    Disconnect(CloseReason::kLocal, Closing::kAbort);
    self_.reset();
    seen_ = hook;  // still there
  }
  void OnConnected() override {
    Send(AsBytes("x"));
    In("OnConnected");
  }
  void OnRecv(std::span<std::byte>) override { In("OnRecv"); }
  void OnSend(std::size_t) override { In("OnSend"); }
  void OnPeerClosed() override { In("OnPeerClosed"); }
  void OnDisconnected(const CloseInfo&) override { In("OnDisconnected"); }

  const std::string hook_;
  std::string seen_;
  std::atomic<int>& alive_;
  SessionRef self_;
};

TEST_CASE("the last reference may be dropped inside any hook", "[session]") {
  const std::string_view hook = GENERATE(from_range(std::begin(kHookNames), std::end(kHookNames)));
  INFO(hook);
  std::atomic<int> alive{0};
  WorldOptions options;
  options.server.on_peer_close = PeerClose::kKeepOpen;
  options.factory = [&]() -> std::shared_ptr<Session> {
    auto session = std::make_shared<SelfOwned>(hook, alive);
    session->Keep(session);
    return session;
  };
  OnAllBackends(options, [&](World& world) {
    const TestSessionRef client = world.Connect();
    REQUIRE(world.WaitFor([&] { return client->WasConnected() || client->Ended(); }));
    client->SendText("hi");
    if (hook == "OnPeerClosed") client->ShutdownSend();
    if (hook == "OnDisconnected") client->Disconnect(CloseReason::kLocal, Closing::kAbort);
    CHECK(world.WaitFor([&] { return client->Ended() && alive == 0; }));
  });
}

}  // namespace
}  // namespace netcore::test
