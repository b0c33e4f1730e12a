// Sessions and job queues together: what a hook keeps reaches a logic thread in order and without
// an allocation each, and what jobs send arrives in their order.
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "netcore/logic/job_queue.h"
#include "netcore/logic/logic_pool.h"
#include "tests/support/allocation_count.h"
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

std::shared_ptr<LogicPool> StartPool(std::size_t threads) {
  LogicPoolOptions options;
  options.threads = threads;
  auto pool = std::make_shared<LogicPool>(options);
  REQUIRE_FALSE(pool->Start());
  return pool;
}

// Hands all that it receives to a queue, whose jobs send it back.
class EchoByJobs final : public Session {
 public:
  explicit EchoByJobs(JobQueueRef queue) : queue_(std::move(queue)) {}

 private:
  void OnRecv(std::span<std::byte> bytes) override {
    const PushResult result =
        queue_->Push([self = shared_from_this(), kept = Keep(bytes)] { self->Send(kept.Bytes()); });
    if (result != PushResult::kQueued) Disconnect(CloseReason::kRateLimited, Closing::kAbort);
  }

  const JobQueueRef queue_;
};

TEST_CASE("what sessions receive goes through their queues and back, whole and in order",
          "[session][logic]") {
  constexpr std::size_t kClients = 6;
  constexpr std::size_t kSize = 200'000;
  const auto pool = StartPool(2);
  // Two sessions share a queue.
  std::vector<JobQueueRef> queues;
  for (std::size_t i = 0; i < kClients / 2; ++i) queues.push_back(JobQueue::Create(pool));
  std::atomic<std::size_t> next{0};
  WorldOptions options;
  options.factory = [&] { return std::make_shared<EchoByJobs>(queues[next++ % queues.size()]); };
  OnRealBackends(options, [&](World& world) {
    std::vector<TestSessionRef> clients;
    std::vector<std::string> sent;
    for (std::size_t i = 0; i < kClients; ++i) {
      clients.push_back(world.Connect());
      sent.push_back(RandomText(kSize, static_cast<std::uint32_t>(i)));
    }
    for (const TestSessionRef& client : clients)
      REQUIRE(world.WaitFor([&] { return client->WasConnected(); }));
    for (std::size_t at = 0; at < kSize; at += 500) {
      for (std::size_t i = 0; i < kClients; ++i) clients[i]->SendText(sent[i].substr(at, 500));
    }
    for (std::size_t i = 0; i < kClients; ++i) {
      CHECK(world.WaitFor([&] { return clients[i]->ReceivedBytes() == kSize; }));
      CHECK((clients[i]->Received() == sent[i]));
    }
  });
  pool->Stop(StopMode::kDrain);
}

// In its one hook: bursts of packets to a queue, each when the one before it was used.
class PacketBursts final : public Session {
 public:
  explicit PacketBursts(JobQueueRef queue) : queue_(std::move(queue)) {}

  std::atomic<std::size_t> used{0};
  std::atomic<std::size_t> allocated{0};
  std::atomic<bool> failed{false};
  std::atomic<bool> done{false};

 private:
  void OnRecv(std::span<std::byte> bytes) override {
    if (done) return;
    // As many at once as never again.
    std::atomic<bool> release{false};
    Check(queue_->Push([&release] {
      while (!release) std::this_thread::yield();
    }) == PushResult::kQueued);
    const std::size_t warm = PushBurst(bytes, 500);
    release = true;
    AwaitUsed(warm);
    const std::size_t before = allocation_count;
    for (int burst = 0; burst < 50 && !failed; ++burst) AwaitUsed(PushBurst(bytes, 300));
    allocated = allocation_count - before;
    done = true;
  }

  std::size_t PushBurst(std::span<const std::byte> bytes, std::size_t count) {
    const std::size_t goal = used + count;
    for (; count > 0; --count) {
      Check(queue_->Push([this, self = shared_from_this(), kept = Keep(bytes)] {
        if (kept.Size() > 0) ++used;
      }) == PushResult::kQueued);
    }
    return goal;
  }

  void AwaitUsed(std::size_t goal) {
    const auto give_up = std::chrono::steady_clock::now() + kLimit;
    while (used < goal && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
    Check(used == goal);
  }

  void Check(bool holds) {
    if (!holds) failed = true;
  }

  const JobQueueRef queue_;
};

TEST_CASE("a packet handed to a job needs no allocation once warm", "[session][logic]") {
  const auto pool = StartPool(1);
  const JobQueueRef queue = JobQueue::Create(pool);
  std::shared_ptr<PacketBursts> server;
  std::atomic<bool> made{false};
  WorldOptions options;
  options.factory = [&] {
    server = std::make_shared<PacketBursts>(queue);
    made = true;
    return server;
  };
  OnRealBackends(options, [&](World& world) {
    made = false;
    const TestSessionRef client = world.Connect();
    REQUIRE(world.WaitFor([&] { return made && client->WasConnected(); }));
    client->SendText(RandomText(100, 1));
    CHECK(world.WaitFor([&] { return server->done.load(); }));
    CHECK_FALSE(server->failed);
    CHECK(server->used == 500 + 50 * 300);
    CHECK(server->allocated == 0);
  });
  pool->Stop(StopMode::kDrain);
}

TEST_CASE("logic that stops under load, before its sessions do", "[session][logic]") {
  const StopMode mode = GENERATE(StopMode::kDrain, StopMode::kDrop);
  std::shared_ptr<LogicPool> pool;
  JobQueueRef queue;
  WorldOptions options;
  options.factory = [&] { return std::make_shared<EchoByJobs>(queue); };
  OnRealBackends(options, [&](World& world) {
    pool = StartPool(2);
    queue = JobQueue::Create(pool);
    std::vector<TestSessionRef> clients;
    for (int i = 0; i < 4; ++i) {
      Hooks hooks;
      hooks.on_recv = [](TestSession& client, std::span<std::byte> bytes) {
        static_cast<void>(client.Send(bytes));
      };
      clients.push_back(world.Connect(hooks));
    }
    for (const TestSessionRef& client : clients) {
      REQUIRE(world.WaitFor([&] { return client->WasConnected(); }));
      client->SendText(RandomText(1'000, 2));
    }
    CHECK(world.WaitFor([&] { return queue->Stats().run > 200; }));
    pool->Stop(mode);
    CHECK(queue->IsClosed());
    // A push that is being refused holds its place until then.
    CHECK(world.WaitFor([&] { return queue->Stats().waiting == 0; }));
    // Whoever sends from now on is told; who waits for an answer that was dropped is not.
    CHECK((mode == StopMode::kDrop || queue->Stats().dropped == 0));
  });
}

TEST_CASE("bytes are kept on any thread", "[session][logic]") {
  class Keeps final : public Session {
   public:
    using Session::Keep;
  };
  const std::string text = "kept";
  const OwnedBytes kept = Keeps::Keep(AsBytes(text));
  CHECK(AsText(kept.Bytes()) == text);
}

}  // namespace
}  // namespace netcore::test
