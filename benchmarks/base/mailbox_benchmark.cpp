// Mailbox: what a task costs on its way from one, or two, other threads to a worker.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "netcore/base/mailbox.h"

namespace netcore {
namespace {

constexpr std::uint64_t kMostInFlight = 1024;  // of one producer
constexpr std::uint64_t kBatch = 10'000;       // tasks an iteration

/// A thread that pushes as fast as it can, but never far ahead of the reader.
class Producer {
 public:
  explicit Producer(Mailbox& mailbox) : mailbox_(mailbox), thread_([this] { Run(); }) {}
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;
  // The mailbox is closed by then: what it discards is never counted.
  ~Producer() {
    closed_.store(true, std::memory_order_relaxed);
    thread_.join();
  }

 private:
  void Run() {
    for (std::uint64_t pushed = 0; !closed_.load(std::memory_order_relaxed);) {
      if (pushed - delivered_.load(std::memory_order_relaxed) >= kMostInFlight) {
        std::this_thread::yield();
        continue;
      }
      if (!mailbox_.Push([this] { CountOne(); })) return;
      ++pushed;
    }
  }

  // The reader's thread alone writes.
  void CountOne() noexcept {
    delivered_.store(delivered_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  Mailbox& mailbox_;
  alignas(64) std::atomic<std::uint64_t> delivered_{0};
  std::atomic<bool> closed_{false};
  std::thread thread_;
};

// range(0) threads push, this one reads. With fewer cores than threads it is the system's
// scheduler that is measured.
void TasksFromOtherThreads(benchmark::State& state) {
  Mailbox mailbox;
  std::vector<std::unique_ptr<Producer>> producers;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    producers.push_back(std::make_unique<Producer>(mailbox));
  }
  std::uint64_t delivered = 0;
  for (auto _ : state) {
    for (const std::uint64_t goal = delivered + kBatch; delivered < goal;) {
      const std::size_t count = mailbox.DeliverAll();
      if (count == 0) std::this_thread::yield();
      delivered += count;
    }
  }
  mailbox.Close();
  producers.clear();
  state.SetItemsProcessed(static_cast<std::int64_t>(delivered));
}
BENCHMARK(TasksFromOtherThreads)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

// The same without another thread: what the instructions alone cost.
void TasksFromTheReader(benchmark::State& state) {
  Mailbox mailbox;
  std::int64_t run = 0;
  for (auto _ : state) {
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      if (!mailbox.Push([&run] { ++run; })) state.SkipWithError("the mailbox is closed");
    }
    mailbox.DeliverAll();
  }
  state.SetItemsProcessed(run);
}
BENCHMARK(TasksFromTheReader)->Arg(1)->Arg(64)->Arg(1024);

class PlainMail final : public Mail {
  void Deliver() noexcept override {}
  void Discard() noexcept override {}
};

// Mail that its sender embeds, as a Disconnect's: no node, no task.
void EmbeddedMailFromTheReader(benchmark::State& state) {
  std::vector<PlainMail> mails(static_cast<std::size_t>(state.range(0)));
  Mailbox mailbox;
  for (auto _ : state) {
    for (PlainMail& mail : mails) {
      if (!mailbox.Push(mail)) state.SkipWithError("the mailbox is closed");
    }
    mailbox.DeliverAll();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(EmbeddedMailFromTheReader)->Arg(1)->Arg(64)->Arg(1024);

}  // namespace
}  // namespace netcore
