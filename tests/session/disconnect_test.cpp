// Ends asked for from outside: from many threads, twice, too early, and after everything is gone.
#include <optional>

#include "tests/support/start_line.h"
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

TEST_CASE("disconnects from eight threads at once end the session once", "[session]") {
  OnRealBackends({}, [](World& world) {
    for (int round = 0; round < 20; ++round) {
      const World::Pair pair = world.ConnectPair();
      StartLine start(8);
      std::vector<std::thread> threads;
      for (int index = 0; index < 8; ++index) {
        threads.emplace_back([&, index] {
          start.Wait();
          pair.server->SendText("x");
          pair.server->Disconnect(CloseReason::kKicked,
                                  index % 2 == 0 ? Closing::kAbort : Closing::kGraceful);
          pair.client->Disconnect(CloseReason::kLocal,
                                  index % 2 == 0 ? Closing::kGraceful : Closing::kAbort);
        });
      }
      for (std::thread& thread : threads) thread.join();
      CHECK(pair.server->SendText("late") == SendResult::kClosing);
      CHECK_FALSE(pair.server->IsConnected());
      REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
    }
    CHECK(world.WaitFor([&] { return world.service->Stats().sessions == 0; }));
  });
}

TEST_CASE("a graceful disconnect sends what is queued, then FIN", "[session]") {
  const std::string text = RandomText(3'000'000, 1);
  WorldOptions options;
  options.server.max_send_queue_bytes = 0;
  OnAllBackends(options, [&](World& world) {
    const World::Pair pair = world.ConnectPair();
    CHECK(pair.server->SendText(text) == SendResult::kQueued);
    pair.server->Disconnect(CloseReason::kKicked);
    CHECK(pair.server->SendText("late") == SendResult::kClosing);
    REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
    CHECK(pair.client->Received() == text);
    CHECK(pair.client->Info().reason == CloseReason::kPeerClosed);
    CHECK(pair.server->Info().reason == CloseReason::kKicked);
    CHECK(pair.server->Info().bytes_unsent == 0);
  });
}

TEST_CASE("an abort cuts a graceful end short, with a reset and what was not sent", "[session]") {
  OnAllBackends(Narrow(), [](World& world) {
    const World::Pair pair = world.ConnectPair(NotReading());
    const std::string text(4'000'000, 'x');
    CHECK(pair.server->SendText(text) == SendResult::kQueued);
    pair.server->Disconnect(CloseReason::kKicked);
    world.RunFor(milliseconds(20));
    REQUIRE_FALSE(pair.server->Ended());
    pair.server->Disconnect(CloseReason::kRateLimited, Closing::kAbort);
    REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
    CHECK(pair.server->Info().reason == CloseReason::kKicked);
    CHECK(pair.server->Info().bytes_unsent > 0);
    pair.client->ResumeRecv();
    REQUIRE(world.WaitFor([&] { return pair.client->Ended(); }));
    CHECK(pair.client->Info().reason == CloseReason::kPeerReset);
    CHECK(pair.client->ReceivedBytes() + pair.server->Info().bytes_unsent <= text.size());
  });
}

TEST_CASE("a deadline that cuts a half-sent message ends in a reset, not in a clean end",
          "[session]") {
  WorldOptions options = Narrow();
  options.server.close_timeout = milliseconds(100);
  OnAllBackends(options, [](World& world) {
    const World::Pair pair = world.ConnectPair(NotReading());
    CHECK(pair.server->SendText(std::string(4'000'000, 'x')) == SendResult::kQueued);
    pair.server->Disconnect(CloseReason::kKicked);
    REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }, milliseconds(5'000)));
    CHECK(pair.server->Info().reason == CloseReason::kKicked);
    CHECK(pair.server->Info().bytes_unsent > 0);
    pair.client->ResumeRecv();
    REQUIRE(world.WaitFor([&] { return pair.client->Ended(); }));
    CHECK(pair.client->Info().reason == CloseReason::kPeerReset);
  });
}

TEST_CASE("a peer that never closes is waited for until close_timeout", "[session]") {
  WorldOptions options;
  options.server.close_timeout = milliseconds(500);
  OnAllBackends(options, [](World& world) {
    const World::Pair pair = world.ConnectPair(NotReading());
    pair.server->SendText("all");
    pair.server->Disconnect(CloseReason::kKicked);
    REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }, milliseconds(5'000)));
    CHECK(pair.server->Info().reason == CloseReason::kKicked);
    CHECK(pair.server->Info().bytes_unsent == 0);
    pair.client->ResumeRecv();
    REQUIRE(world.WaitFor([&] { return pair.client->Ended(); }));
    CHECK(pair.client->Received() == "all");
    CHECK(pair.client->Info().reason == CloseReason::kPeerClosed);
  });
}

// Only a real port hands out what ended a wait inside that wait, and only a peer on another worker
// leaves this one asleep: then a time taken before the wait is as old as the wait was long.
TEST_CASE("a graceful end that begins after a long quiet has all of its time", "[session]") {
  WorldOptions options = Narrow();
  options.server.close_timeout = milliseconds(600);
  options.hooks.on_recv = [](TestSession& session, std::span<std::byte>) {
    session.SendText(std::string(4'000'000, 'x'));
    session.Disconnect(CloseReason::kKicked);
  };
  std::atomic<std::chrono::steady_clock::time_point> ended{};
  options.hooks.on_disconnected = [&](TestSession&, const CloseInfo&) {
    ended = std::chrono::steady_clock::now();
  };
  OnRealBackends(options, [&](World& world) {
    const World::Pair pair = world.ConnectPair(NotReading());
    std::this_thread::sleep_for(milliseconds(800));  // quiet for longer than the deadline is long
    const auto begin = std::chrono::steady_clock::now();
    pair.client->SendText("go");
    REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
    CHECK(pair.server->Info().reason == CloseReason::kKicked);
    CHECK(pair.server->Info().bytes_unsent > 0);  // the deadline ended it, nothing else
    REQUIRE(Eventually([&] { return ended.load() > begin; }));
    CHECK(ended.load() - begin >= milliseconds(580));
  });
}

TEST_CASE("a reference held after everything is gone is harmless", "[session]") {
  TestSessionRef server;
  TestSessionRef client;
  Endpoint address;
  const auto body = [&](World& world) {
    const World::Pair pair = world.ConnectPair();
    server = pair.server;
    client = pair.client;
    address = world.Address();
  };
  OnMemory({}, body);
  for (const TestSessionRef& session : {server, client}) {
    CHECK(session->SendText("x") == SendResult::kClosing);
    CHECK(session->Send(SendBufferRef()) == SendResult::kClosing);
    CHECK_FALSE(session->Post([] { FAIL("nobody is there to run it"); }));
    CHECK_FALSE(session->IsConnected());
    session->Disconnect(CloseReason::kKicked, Closing::kAbort);
    session->ShutdownSend();
    session->PauseRecv();
    session->ResumeRecv();
    CHECK(session->Id());
    CHECK(session->Manager()->Find(session->Id()) == nullptr);
    CHECK_FALSE(session->Manager()->Join(GroupId{1}, session));
  }
  CHECK(client->PeerEndpoint() == address);
  CHECK(server->LocalEndpoint() == address);
  CHECK(server->PeerEndpoint() == client->LocalEndpoint());
  CHECK(server->Info().reason == CloseReason::kServiceStopping);
}

TEST_CASE("references used by other threads while everything stops are harmless", "[session]") {
  OnRealBackends({}, [](World& world) {
    std::vector<World::Pair> pairs;
    for (int i = 0; i < 8; ++i) pairs.push_back(world.ConnectPair());
    std::atomic<bool> stop{false};
    std::atomic<int> closing{0};
    std::vector<std::thread> threads;
    for (int index = 0; index < 2; ++index) {
      threads.emplace_back([&] {
        while (!stop) {
          for (const World::Pair& pair : pairs) {
            if (pair.server->SendText("x") == SendResult::kClosing) {
              ++closing;
              pair.client->ShutdownSend();
              pair.server->Disconnect(CloseReason::kKicked, Closing::kAbort);
            }
            static_cast<void>(pair.server->Post([] {}));
            pair.client->PauseRecv();
            pair.client->ResumeRecv();
          }
          // Not more mail than the worker can read.
          std::this_thread::sleep_for(std::chrono::microseconds(100));
        }
      });
    }
    CHECK(Eventually([&] { return pairs.back().client->ReceivedBytes() > 10; }));
    world.service->Stop(milliseconds(50));
    CHECK(world.service->WaitStopped().complete);
    world.core->Stop();
    const int before = closing;
    CHECK(Eventually([&] { return closing > before + 100; }));
    stop = true;
    for (std::thread& thread : threads) thread.join();
  });
}

TEST_CASE("a session that never began says so", "[session]") {
  TestSession session;
  CHECK(session.SendText("x") == SendResult::kClosing);
  CHECK_FALSE(session.Post([] {}));
  session.Disconnect();
  session.PauseRecv();
  session.ShutdownSend();
  CHECK(session.Id() == SessionId());
  CHECK(session.Manager() == nullptr);
  CHECK(session.QueuedBytes() == 0);
  CHECK(session.PeerEndpoint().GetFamily() == Endpoint::Family::kNone);
}

}  // namespace
}  // namespace netcore::test
