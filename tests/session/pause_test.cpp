// PauseRecv and ResumeRecv: nothing lost, nothing delivered meanwhile, and an end all the same.
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

TEST_CASE("a pause in OnConnected holds back everything until the resume", "[session]") {
  WorldOptions options;
  options.hooks.on_connected = [](TestSession& session) { session.PauseRecv(); };
  OnAllBackends(options, [](World& world) {
    const World::Pair pair = world.ConnectPair();
    pair.client->SendText("kept");
    pair.client->ShutdownSend();
    world.RunFor(milliseconds(50));
    CHECK(pair.server->Trace() == "C");
    pair.server->ResumeRecv();
    CHECK(world.WaitFor([&] { return pair.server->Ended(); }));
    CHECK(pair.server->Received() == "kept");
    CHECK(pair.server->Info().reason == CloseReason::kPeerClosed);
  });
}

TEST_CASE("a pause and a resume inside OnConnected leave nothing behind", "[session]") {
  WorldOptions options;
  options.hooks.on_connected = [](TestSession& session) {
    session.PauseRecv();
    session.ResumeRecv();
  };
  OnAllBackends(options, [](World& world) {
    const World::Pair pair = world.ConnectPair();
    pair.client->SendText("x");
    CHECK(world.WaitFor([&] { return pair.server->ReceivedBytes() == 1; }));
  });
}

TEST_CASE("a pause disturbs no send in flight, and sends go on meanwhile", "[session]") {
  const std::string text = RandomText(4'000'000, 2);
  WorldOptions options;
  options.server.max_send_queue_bytes = 0;
  options.hooks.on_send = [](TestSession& session, std::size_t) {
    session.PauseRecv();
    session.ResumeRecv();
  };
  OnAllBackends(options, [&](World& world) {
    const World::Pair pair = world.ConnectPair();
    pair.server->SendText(text);
    for (int i = 0; i < 50; ++i) {
      pair.server->PauseRecv();
      pair.client->SendText("x");
      pair.server->ResumeRecv();
    }
    pair.server->PauseRecv();
    CHECK(world.WaitFor([&] { return pair.client->ReceivedBytes() == text.size(); }));
    CHECK(pair.client->Received() == text);
    pair.server->ResumeRecv();
    CHECK(world.WaitFor([&] { return pair.server->ReceivedBytes() == 50; }));
  });
}

TEST_CASE("no OnRecv comes after a pause on the session's own thread", "[session]") {
  bool paused = false;
  std::size_t while_paused = 0;
  WorldOptions options;
  options.hooks.on_recv = [&](TestSession& session, std::span<std::byte>) {
    if (paused) ++while_paused;
    session.PauseRecv();
    paused = true;
  };
  OnMemory(options, [&](World& world) {
    const World::Pair pair = world.ConnectPair();
    for (int i = 0; i < 20; ++i) {
      const std::size_t before = pair.server->ReceivedBytes();
      pair.client->SendText(std::string(1'000, 'x'));
      paused = false;
      pair.server->ResumeRecv();
      REQUIRE(world.WaitFor([&] { return pair.server->ReceivedBytes() > before; }));
    }
    CHECK(while_paused == 0);
  });
}

TEST_CASE("a pause on the own thread holds although an older resume is still in the mail",
          "[session]") {
  OnMemory({}, [](World& world) {
    const World::Pair pair = world.ConnectPair();
    pair.server->PauseRecv();
    pair.client->SendText("x");
    world.RunFor(milliseconds(100));
    // One batch of mail: the task, the resume. By the time the task runs, the resume is older.
    pair.server->Post([&server = *pair.server] { server.PauseRecv(); });
    pair.server->ResumeRecv();
    world.RunFor(milliseconds(100));
    CHECK(pair.server->ReceivedBytes() == 0);
    pair.server->ResumeRecv();
    CHECK(world.WaitFor([&] { return pair.server->ReceivedBytes() == 1; }));
  });
}

TEST_CASE("a storm of pauses and resumes from hooks and threads loses and repeats no byte",
          "[session]") {
  constexpr std::size_t kBytes = 2'000'000;
  const std::uint32_t seed = NewSeed();
  INFO("seed " << seed);
  const std::string text = RandomText(kBytes, seed);
  WorldOptions options;
  options.client.max_send_queue_bytes = 0;
  options.hooks.on_recv = [](TestSession& session, std::span<std::byte>) {
    session.PauseRecv();
    session.Post([&session] { session.ResumeRecv(); });
  };
  OnRealBackends(options, [&](World& world) {
    const World::Pair pair = world.ConnectPair();
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int index = 0; index < 2; ++index) {
      threads.emplace_back([&] {
        while (!stop) {
          pair.server->PauseRecv();
          pair.server->ResumeRecv();
          std::this_thread::yield();
        }
      });
    }
    for (std::size_t at = 0; at < kBytes; at += 10'000)
      pair.client->SendText(std::string_view(text).substr(at, 10'000));
    const bool all = world.WaitFor([&] { return pair.server->ReceivedBytes() == kBytes; });
    stop = true;
    for (std::thread& thread : threads) thread.join();
    CHECK(all);
    CHECK(pair.server->Received() == text);
  });
}

TEST_CASE("the last of a thread's pauses and resumes counts", "[session]") {
  OnAllBackends({}, [](World& world) {
    const World::Pair pair = world.ConnectPair();
    for (int i = 0; i < 100; ++i) {
      pair.server->ResumeRecv();
      pair.server->PauseRecv();
    }
    std::atomic<bool> done{false};
    REQUIRE(pair.server->Post([&] { done = true; }));
    REQUIRE(world.WaitFor([&] { return done.load(); }));
    pair.client->SendText("x");
    world.RunFor(milliseconds(50));
    CHECK(pair.server->ReceivedBytes() == 0);
    pair.server->ResumeRecv();
    CHECK(world.WaitFor([&] { return pair.server->ReceivedBytes() == 1; }));
  });
}

TEST_CASE("a paused session ends by Disconnect and by Stop", "[session]") {
  const int way = GENERATE(0, 1, 2, 3);
  INFO("way " << way);
  WorldOptions options;
  options.hooks.on_connected = [](TestSession& session) { session.PauseRecv(); };
  OnAllBackends(options, [&](World& world) {
    const World::Pair pair = world.ConnectPair();
    pair.client->SendText("unread");
    if (way == 0) pair.server->Disconnect();
    if (way == 1) pair.server->Disconnect(CloseReason::kLocal, Closing::kAbort);
    if (way == 2) world.service->Stop(milliseconds(1'000));
    if (way == 3) world.service->Stop(milliseconds::zero());
    REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
    CHECK(pair.server->Info().reason ==
          (way < 2 ? CloseReason::kLocal : CloseReason::kServiceStopping));
    CHECK(pair.server->ReceivedBytes() == 0);
    CHECK(world.WaitFor([&] { return pair.client->Ended(); }));
  });
}

}  // namespace
}  // namespace netcore::test
