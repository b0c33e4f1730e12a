// What has begun to leave is next on the wire: other threads act between the first part of a send,
// which has left at once, and the rest of it.
#include <functional>
#include <string>
#include <thread>

#include "tests/support/scripted_port.h"
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

constexpr std::size_t kFirstPart = 1'000;

void OnAnotherThread(const std::function<void()>& act) { std::thread(act).join(); }

// One send of `big`, of which kFirstPart bytes leave at once; then another thread does `act`.
struct Begun {
  explicit Begun(WorldOptions options = {}, Hooks client = {})
      : world(std::make_shared<ScriptedFactory>(script), std::move(options)) {
    pair = world.ConnectPair(std::move(client));
  }

  void Send(std::function<void(TestSession&)> act) {
    script.at_once_most = kFirstPart;
    script.behind_send_at_once = [this, act = std::move(act)] {
      OnAnotherThread([&] { act(*pair.server); });
    };
    REQUIRE(pair.server->Post([this] { result = pair.server->SendText(big); }));
    REQUIRE(world.WaitFor([this] { return script.behind_send_at_once == nullptr; }));
    script.at_once_most = SIZE_MAX;
  }

  bool BothEnd() {
    return world.WaitFor([this] { return pair.client->Ended() && pair.server->Ended(); });
  }

  const std::string big = RandomText(40'000, 16);
  PortScript script;
  World world;
  World::Pair pair;
  SendResult result = SendResult::kClosing;
};

TEST_CASE("what other threads send while a send leaves in part comes behind it",
          "[session][begun]") {
  Begun begun;
  begun.Send([](TestSession& session) { CHECK(session.SendText("small") == SendResult::kQueued); });
  CHECK(begun.result == SendResult::kQueued);
  const std::string expected = begun.big + "small";
  REQUIRE(
      begun.world.WaitFor([&] { return begun.pair.client->ReceivedBytes() == expected.size(); }));
  CHECK((begun.pair.client->Received() == expected));
  CHECK(begun.world.WaitFor([&] { return begun.pair.server->SentBytes() == expected.size(); }));
  CHECK(begun.pair.server->QueuedBytes() == 0);
  begun.world.Finish();
}

TEST_CASE("a graceful end of another thread's waits for a send that has begun",
          "[session][begun]") {
  Begun begun;
  begun.Send([](TestSession& session) { session.Disconnect(); });
  CHECK(begun.result == SendResult::kQueued);
  REQUIRE(begun.BothEnd());
  CHECK((begun.pair.client->Received() == begun.big));
  CHECK(begun.pair.client->Info().reason == CloseReason::kPeerClosed);
  CHECK(begun.pair.server->Info().bytes_unsent == 0);
  begun.world.Finish();
}

TEST_CASE("a FIN of another thread's waits for a send that has begun", "[session][begun]") {
  Begun begun;
  begun.Send([](TestSession& session) { session.ShutdownSend(); });
  CHECK(begun.result == SendResult::kQueued);
  REQUIRE(begun.BothEnd());
  CHECK((begun.pair.client->Received() == begun.big));
  CHECK(begun.pair.server->Info().bytes_unsent == 0);
  begun.world.Finish();
}

TEST_CASE("an abort of another thread's resets a send that has begun, and counts its rest",
          "[session][begun]") {
  Begun begun(Narrow(), NotReading());
  begun.Send(
      [](TestSession& session) { session.Disconnect(CloseReason::kLocal, Closing::kAbort); });
  CHECK(begun.result == SendResult::kQueued);
  REQUIRE(begun.world.WaitFor([&] { return begun.pair.server->Ended(); }));
  // Some of the rest may have left in between.
  CHECK(begun.pair.server->Info().bytes_unsent > 0);
  CHECK(begun.pair.server->Info().bytes_unsent <= begun.big.size() - kFirstPart);
  begun.pair.client->ResumeRecv();
  REQUIRE(begun.world.WaitFor([&] { return begun.pair.client->Ended(); }));
  CHECK(begun.pair.client->Info().reason == CloseReason::kPeerReset);
  begun.world.Finish();
}

TEST_CASE("a send that has begun and whose rest finds the queue full ends in a reset",
          "[session][begun]") {
  WorldOptions options;
  options.server.max_send_queue_bytes = 50'000;
  Begun begun(options);
  const std::string other(30'000, 'x');
  begun.Send([&](TestSession& session) { CHECK(session.SendText(other) == SendResult::kQueued); });
  CHECK(begun.result == SendResult::kQueued);
  REQUIRE(begun.BothEnd());
  CHECK(begun.pair.server->Info().reason == CloseReason::kSendQueueFull);
  CHECK(begun.pair.client->Info().reason == CloseReason::kPeerReset);
  CHECK(begun.pair.server->Info().bytes_unsent == begun.big.size() - kFirstPart + other.size());
  const std::string received = begun.pair.client->Received();
  CHECK((received == begun.big.substr(0, received.size())));
  begun.world.Finish();
}

TEST_CASE("a send that echoes what was received and leaves in part is not torn either",
          "[session][begun]") {
  PortScript script;
  WorldOptions options;
  options.hooks.on_recv = [&](TestSession& session, std::span<std::byte> bytes) {
    script.behind_send_at_once = [&] { OnAnotherThread([&] { session.SendText("small"); }); };
    script.at_once_most = kFirstPart;
    session.SendReceived(bytes);
    script.behind_send_at_once = {};
    script.at_once_most = SIZE_MAX;
  };
  World world(std::make_shared<ScriptedFactory>(script), options);
  const World::Pair pair = world.ConnectPair();
  const std::string big = RandomText(20'000, 17);
  pair.client->SendText(big);
  REQUIRE(world.WaitFor([&] { return pair.client->ReceivedBytes() >= big.size() + 5; }));
  // It may have come in several parts, each with a small one behind it.
  std::string left = pair.client->Received();
  for (std::size_t at = 0; (at = left.find("small", at)) != std::string::npos;) left.erase(at, 5);
  CHECK((left == big));
  world.Finish();
}

}  // namespace
}  // namespace netcore::test
