// Inbox: a push wakes a worker that sleeps, once, and no push is slept through.
#include "netcore/core/inbox.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "netcore/port/port_factory.h"
#include "netcore/sim/memory_factory.h"
#include "tests/support/catch.h"
#include "tests/support/limits.h"

namespace netcore {
namespace {

using std::chrono::milliseconds;

// A port that can only sleep and be woken.
class BellPort final : public CompletionPort {
 public:
  Error AttachThread() override { return {}; }
  TimePoint Now() const noexcept override { return std::chrono::steady_clock::now(); }
  PortSocket* Adopt(OwnedSocket&&, const SocketOptions&) override { return nullptr; }
  Endpoint LocalEndpoint(const PortSocket&) const override { return {}; }
  void SubmitAccept(PortSocket&, IocpEvent&) noexcept override {}
  void SubmitConnect(PortSocket&, const Endpoint&, IocpEvent&) noexcept override {}
  void SubmitRecv(PortSocket&, IocpEvent&) noexcept override {}
  void PauseRecv(PortSocket&, IocpEvent&) noexcept override {}
  void ResumeRecv(PortSocket&, IocpEvent&) noexcept override {}
  void SubmitSend(PortSocket&, std::span<const SendSlice>, IocpEvent&) noexcept override {}
  void ShutdownSend(PortSocket&) noexcept override {}
  bool HasNews(IocpEvent&) noexcept override { return false; }
  void Cancel(IocpEvent&) noexcept override {}
  void Close(PortSocket&, CloseMode) noexcept override {}

  void Wake() noexcept override {
    wakes.fetch_add(1);
    const std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_one();
  }

  // Returns 1 if nobody woke it: a reader that waits for ever would still wait.
  std::size_t DispatchUntil(TimePoint deadline) noexcept override {
    std::unique_lock lock(mutex_);
    const bool woken = changed_.wait_until(lock, deadline, [this] { return woken_; });
    woken_ = false;
    return woken ? 0 : 1;
  }

  std::atomic<int> wakes{0};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

TEST_CASE("a push wakes a worker that sleeps, once, and nobody else", "[inbox]") {
  BellPort port;
  Inbox inbox(port);
  CHECK(inbox.Push([] {}));
  CHECK(port.wakes == 0);
  CHECK_FALSE(inbox.TrySleep());  // there is mail
  CHECK(inbox.Push([] {}));
  CHECK(port.wakes == 0);
  CHECK(inbox.DeliverAll() == 2);

  CHECK(inbox.TrySleep());
  CHECK(inbox.Push([] {}));
  CHECK(inbox.Push([] {}));
  CHECK(port.wakes == 1);
  inbox.WakeUp();
  CHECK(inbox.DeliverAll() == 2);
  CHECK(inbox.Push([] {}));
  CHECK(port.wakes == 1);
  CHECK(inbox.HasMail());
}

TEST_CASE("a closed inbox refuses, and wakes nobody", "[inbox]") {
  BellPort port;
  Inbox inbox(port);
  bool ran = false;
  CHECK(inbox.Push([&] { ran = true; }));
  CHECK(inbox.TrySleep() == false);
  inbox.Close();
  inbox.Close();
  CHECK_FALSE(inbox.Push([] {}));
  CHECK(inbox.DeliverAll() == 0);
  CHECK_FALSE(inbox.HasMail());
  CHECK_FALSE(ran);
  CHECK(port.wakes == 0);
}

TEST_CASE("no push is slept through, whoever comes first", "[inbox]") {
  constexpr int kWriters = 3;
  constexpr int kPushes = 3'000;
  BellPort port;
  Inbox inbox(port);
  std::atomic<int> delivered{0};
  std::vector<std::thread> writers;
  for (int index = 0; index < kWriters; ++index) {
    writers.emplace_back([&] {
      for (int i = 0; i < kPushes; ++i) {
        const int before = delivered.load();
        static_cast<void>(inbox.Push([&] { delivered.fetch_add(1); }));
        // Mostly one at a time, so that the reader goes to sleep in between.
        for (int spin = 0; delivered.load() == before && spin < 20; ++spin)
          std::this_thread::yield();
      }
    });
  }
  bool overslept = false;
  const auto end = std::chrono::steady_clock::now() + test::kWaitLimit;
  while (delivered < kWriters * kPushes && std::chrono::steady_clock::now() < end) {
    if (inbox.TrySleep()) {
      // So long a wait ends by a wake, or that was lost. A shorter one may end between a push and
      // its wake, when the writer's thread has to wait for a processor.
      const bool timed_out = port.Dispatch(test::kWaitLimit) == 1;
      inbox.WakeUp();
      if (timed_out && inbox.HasMail()) overslept = true;
    }
    inbox.DeliverAll();
  }
  for (std::thread& writer : writers) writer.join();
  CHECK_FALSE(overslept);
  CHECK(delivered == kWriters * kPushes);
}

TEST_CASE("nobody touches the port once Close has returned", "[inbox]") {
  for (int round = 0; round < 100; ++round) {
    auto port = std::make_unique<BellPort>();
    Inbox inbox(*port);
    std::atomic<bool> begin{false};
    std::vector<std::thread> writers;
    for (int index = 0; index < 2; ++index) {
      writers.emplace_back([&] {
        while (!begin) std::this_thread::yield();
        while (inbox.Push([] {})) std::this_thread::yield();
      });
    }
    begin = true;
    for (int i = 0; i < 5; ++i) {
      if (inbox.TrySleep()) {
        port->Dispatch(milliseconds(1));
        inbox.WakeUp();
      }
      inbox.DeliverAll();
    }
    if (inbox.TrySleep()) port->Dispatch(milliseconds(1));  // closed while it seems asleep
    inbox.Close();
    port.reset();  // a sanitizer sees who comes now
    for (std::thread& writer : writers) writer.join();
  }
  SUCCEED();
}

}  // namespace
}  // namespace netcore
