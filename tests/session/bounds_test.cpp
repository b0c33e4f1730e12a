// What a peer can make a session hold or wait for, and the answer at each bound.
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

TEST_CASE("a slow receiver is ended at the bound, with a reset, and the others see nothing of it",
          "[session]") {
  WorldOptions options = Narrow();
  options.server.max_send_queue_bytes = 100'000;
  OnAllBackends(options, [](World& world) {
    const World::Pair slow = world.ConnectPair(NotReading());
    const World::Pair other = world.ConnectPair();
    const std::string message(1'000, 'x');
    std::size_t sent = 0;
    std::size_t most_queued = 0;
    SendResult result = SendResult::kQueued;
    // The system takes some for a peer that reads nothing, then no more.
    while (result == SendResult::kQueued && sent < 50'000'000) {
      result = slow.server->SendText(message);
      if (result == SendResult::kQueued) sent += message.size();
      most_queued = std::max(most_queued, slow.server->QueuedBytes());
      if (sent % 10'000 == 0) world.RunFor(milliseconds(1));
    }
    CHECK(result == SendResult::kQueueFull);
    CHECK(most_queued <= 100'000);
    CHECK(slow.server->SendText(message) == SendResult::kClosing);
    REQUIRE(world.WaitFor([&] { return slow.server->Ended(); }));
    CHECK(slow.server->Info().reason == CloseReason::kSendQueueFull);
    CHECK(slow.server->Info().bytes_unsent > 0);
    CHECK(slow.server->Info().bytes_unsent <= 100'000);
    slow.client->ResumeRecv();
    REQUIRE(world.WaitFor([&] { return slow.client->Ended(); }));
    CHECK(slow.client->Info().reason == CloseReason::kPeerReset);
    CHECK(world.service->Stats().Ended(CloseReason::kSendQueueFull) == 1);

    other.server->SendText("fine");
    CHECK(world.WaitFor([&] { return other.client->Received() == "fine"; }));
  });
}

TEST_CASE("a single send of more than the bound is refused", "[session]") {
  WorldOptions options;
  options.server.max_send_queue_bytes = 1'000;
  OnMemory(options, [](World& world) {
    const World::Pair pair = world.ConnectPair();
    CHECK(pair.server->SendText("") == SendResult::kQueued);
    CHECK(pair.server->SendText(std::string(1'000, 'x')) == SendResult::kQueued);
    CHECK(pair.server->QueuedBytes() == 1'000);
    REQUIRE(world.WaitFor([&] { return pair.server->QueuedBytes() == 0; }));
    CHECK(pair.server->Send(SendBuffer::Create(1'001)) == SendResult::kQueueFull);
    REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
    CHECK(pair.server->Info().reason == CloseReason::kSendQueueFull);
    CHECK(pair.server->Info().bytes_unsent == 0);
  });
}

TEST_CASE("a send without progress ends the session with kSendStalled, in time", "[session]") {
  WorldOptions options = Narrow();
  options.server.max_send_queue_bytes = 0;
  options.server.send_stall_timeout = milliseconds(200);
  OnAllBackends(options, [](World& world) {
    const World::Pair pair = world.ConnectPair(NotReading());
    pair.server->SendText(std::string(4'000'000, 'x'));
    REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }, milliseconds(5'000)));
    CHECK(pair.server->Info().reason == CloseReason::kSendStalled);
    CHECK(pair.server->Info().bytes_unsent > 0);
    pair.client->ResumeRecv();
    REQUIRE(world.WaitFor([&] { return pair.client->Ended(); }));
    CHECK(pair.client->Info().reason == CloseReason::kPeerReset);
  });
}

TEST_CASE("a slow peer that goes on taking bytes is not stalled", "[session]") {
  WorldOptions options;
  options.server.max_send_queue_bytes = 0;
  options.server.send_stall_timeout = milliseconds(1'000);
  options.client.socket.recv_buffer_bytes = 8 * 1024;
  Hooks slow;
  slow.on_recv = [](TestSession& session, std::span<std::byte>) { session.PauseRecv(); };
  OnMemory(options, [&](World& world) {
    const World::Pair pair = world.ConnectPair(slow);
    // 64 KiB, what one send carries, leave in 8 x 100 ms; all of it takes 10 times as long.
    pair.server->SendText(std::string(640 * 1024, 'x'));
    while (pair.client->ReceivedBytes() < 640 * 1024 && !pair.server->Ended()) {
      world.RunFor(milliseconds(100));
      pair.client->ResumeRecv();
    }
    CHECK_FALSE(pair.server->Ended());
    CHECK(pair.client->ReceivedBytes() == 640 * 1024);
  });
}

TEST_CASE("an idle session ends in time, and any byte puts it off", "[session]") {
  WorldOptions options;
  options.server.idle_timeout = milliseconds(1'000);
  OnMemory(options, [](World& world) {
    const World::Pair pair = world.ConnectPair();
    for (int i = 0; i < 10; ++i) {
      world.RunFor(milliseconds(800));
      REQUIRE_FALSE(pair.server->Ended());
      pair.client->SendText("x");
    }
    REQUIRE(world.WaitFor([&] { return pair.server->ReceivedBytes() == 10; }));
    world.RunFor(milliseconds(900));
    CHECK_FALSE(pair.server->Ended());
    pair.server->SendText("what we send does not count");
    CHECK(world.WaitFor([&] { return pair.server->Ended(); }, milliseconds(200)));
    CHECK(pair.server->Info().reason == CloseReason::kIdleTimeout);
  });
}

TEST_CASE("time in a pause does not count as idle, before it and after it do", "[session]") {
  WorldOptions options;
  options.server.idle_timeout = milliseconds(1'000);
  OnMemory(options, [](World& world) {
    const World::Pair pair = world.ConnectPair();
    world.RunFor(milliseconds(500));
    pair.server->PauseRecv();
    world.RunFor(milliseconds(10'000));
    CHECK_FALSE(pair.server->Ended());
    pair.server->ResumeRecv();
    world.RunFor(milliseconds(900));
    CHECK_FALSE(pair.server->Ended());
    CHECK(world.WaitFor([&] { return pair.server->Ended(); }, milliseconds(200)));
    CHECK(pair.server->Info().reason == CloseReason::kIdleTimeout);
  });
}

// See the like in disconnect_test.cpp: only a real port shows it.
TEST_CASE("a byte received after a long quiet puts the idle end off by the whole time",
          "[session]") {
  WorldOptions options;
  options.server.idle_timeout = milliseconds(900);
  std::atomic<std::chrono::steady_clock::time_point> ended{};
  options.hooks.on_disconnected = [&](TestSession&, const CloseInfo&) {
    ended = std::chrono::steady_clock::now();
  };
  OnRealBackends(options, [&](World& world) {
    // A machine that is busy with other things may let the session end before the byte is there.
    for (int tries = 0; tries < 20; ++tries) {
      const World::Pair pair = world.ConnectPair();
      std::this_thread::sleep_for(milliseconds(600));
      ended = std::chrono::steady_clock::time_point();
      const auto sent = std::chrono::steady_clock::now();
      pair.client->SendText("x");
      REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
      CHECK(pair.server->Info().reason == CloseReason::kIdleTimeout);
      if (pair.server->ReceivedBytes() == 0) continue;
      REQUIRE(Eventually([&] { return ended.load() > sent; }));
      CHECK(ended.load() - sent >= milliseconds(880));
      break;
    }
  });
}

TEST_CASE("the deadlines of two thousand sessions each fire at their time", "[session]") {
  constexpr std::size_t kSessions = 2'000;
  WorldOptions options;
  options.accept_depth = 64;
  options.server.idle_timeout = milliseconds(10'000);
  OnMemory(options, [&](World& world) {
    for (std::size_t i = 0; i < kSessions; ++i) world.Connect();
    REQUIRE(world.WaitFor([&] { return world.service->Stats().sessions == kSessions; }));
    // Every second one says something half way.
    world.RunFor(milliseconds(5'000));
    for (std::size_t i = 0; i < kSessions; i += 2) world.Clients()[i]->SendText("x");
    world.RunFor(milliseconds(4'900));
    CHECK(world.service->Stats().sessions == kSessions);
    world.RunFor(milliseconds(300));
    CHECK(world.service->Stats().sessions == kSessions / 2);
    CHECK(world.service->Stats().Ended(CloseReason::kIdleTimeout) == kSessions / 2);
    world.RunFor(milliseconds(4'500));
    CHECK(world.service->Stats().sessions == kSessions / 2);
    world.RunFor(milliseconds(500));
    CHECK(world.service->Stats().sessions == 0);
  });
}

}  // namespace
}  // namespace netcore::test
