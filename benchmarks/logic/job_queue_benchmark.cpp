// JobQueue: what a job costs on its way to a logic thread, and back again.
#include <benchmark/benchmark.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "netcore/logic/job_queue.h"
#include "netcore/logic/logic_pool.h"

namespace netcore {
namespace {

constexpr std::uint64_t kMostInFlight = 1024;  // of one producer
constexpr std::uint64_t kBatch = 10'000;       // jobs an iteration

std::shared_ptr<LogicPool> StartPool(std::size_t threads) {
  LogicPoolOptions options;
  options.threads = threads;
  auto pool = std::make_shared<LogicPool>(options);
  if (pool->Start()) return nullptr;
  return pool;
}

/// A thread that pushes as fast as it can, but never far ahead of the queue.
class Producer {
 public:
  explicit Producer(JobQueue& queue) : queue_(queue), thread_([this] { Run(); }) {}
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;
  ~Producer() { thread_.join(); }  // the queue is closed by then

 private:
  void Run() {
    for (std::uint64_t pushed = 0;;) {
      if (pushed - run_.load(std::memory_order_relaxed) >= kMostInFlight) {
        if (queue_.IsClosed()) return;  // it has dropped some of them
        std::this_thread::yield();
        continue;
      }
      if (queue_.Push([this] { CountOne(); }) == PushResult::kClosed) return;
      ++pushed;
    }
  }

  // Jobs of one queue alone write.
  void CountOne() noexcept {
    run_.store(run_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  JobQueue& queue_;
  alignas(64) std::atomic<std::uint64_t> run_{0};
  std::thread thread_;
};

// range(0) threads push to one queue, one logic thread runs it. With fewer cores than threads it is
// the system's scheduler that is measured.
void JobsFromOtherThreads(benchmark::State& state) {
  const auto pool = StartPool(1);
  if (pool == nullptr) return state.SkipWithError("no logic thread");
  const JobQueueRef queue = JobQueue::Create(pool);
  std::vector<std::unique_ptr<Producer>> producers;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    producers.push_back(std::make_unique<Producer>(*queue));
  }
  std::uint64_t goal = 0;
  for (auto _ : state) {
    goal += kBatch;
    while (queue->Stats().run < goal) std::this_thread::yield();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(goal));
  pool->Stop(StopMode::kDrop);
  producers.clear();
}
BENCHMARK(JobsFromOtherThreads)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

// Jobs that push the next ones: no other thread, and nobody sleeps.
void JobsFromAJob(benchmark::State& state) {
  const auto pool = StartPool(1);
  if (pool == nullptr) return state.SkipWithError("no logic thread");
  const JobQueueRef queue = JobQueue::Create(pool);
  struct Again {
    void operator()() const { static_cast<void>(queue->Push(Again{queue})); }
    JobQueue* queue;
  };
  static_cast<void>(queue->Push(Again{queue.get()}));
  std::uint64_t goal = queue->Stats().run;
  const std::uint64_t begin = goal;
  for (auto _ : state) {
    goal += kBatch;
    while (queue->Stats().run < goal) std::this_thread::yield();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(goal - begin));
  pool->Stop(StopMode::kDrop);
}
BENCHMARK(JobsFromAJob)->UseRealTime()->Unit(benchmark::kMillisecond);

// One job at a time to a pool that sleeps: twice a thread is woken.
void JobAndItsAnswer(benchmark::State& state) {
  const auto pool = StartPool(1);
  if (pool == nullptr) return state.SkipWithError("no logic thread");
  const JobQueueRef queue = JobQueue::Create(pool);
  std::mutex mutex;
  std::condition_variable answered;
  std::uint64_t answers = 0;
  std::uint64_t asked = 0;
  for (auto _ : state) {
    const PushResult result = queue->Push([&] {
      const std::lock_guard lock(mutex);
      ++answers;
      answered.notify_one();
    });
    if (result != PushResult::kQueued) return state.SkipWithError("the queue is closed");
    ++asked;
    std::unique_lock lock(mutex);
    answered.wait(lock, [&] { return answers == asked; });
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(asked));
  pool->Stop(StopMode::kDrain);
}
BENCHMARK(JobAndItsAnswer)->UseRealTime()->Unit(benchmark::kMicrosecond);

// A timed job that is cancelled before it is due, as most time-outs are.
void TimedJobAndItsCancel(benchmark::State& state) {
  const auto pool = StartPool(1);
  if (pool == nullptr) return state.SkipWithError("no logic thread");
  const JobQueueRef queue = JobQueue::Create(pool);
  static_cast<void>(queue->PushAfter(std::chrono::hours(1), [] {}));
  for (auto _ : state) {
    const TimedPush push = queue->PushAfter(std::chrono::hours(2), [] {});
    if (!queue->Cancel(push.id)) state.SkipWithError("it was not cancelled");
  }
  state.SetItemsProcessed(state.iterations());
  pool->Stop(StopMode::kDrop);
}
BENCHMARK(TimedJobAndItsCancel);

}  // namespace
}  // namespace netcore
