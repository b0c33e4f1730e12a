// Mailbox: one order for all writers, nothing lost, nothing run twice, closed or not.
#include "netcore/base/mailbox.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/counting_new.h"
#include "tests/support/fate.h"
#include "tests/support/limits.h"
#include "tests/support/turns.h"

namespace netcore::test {
namespace {

// Ends the program's wait if a thread is stuck, by a failed check instead of a hang.
class Deadline {
 public:
  bool Passed() const { return std::chrono::steady_clock::now() > end_; }

 private:
  const std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + kWaitLimit;
};

class TestMail final : public Mail {
 public:
  using Action = std::function<void()>;

  explicit TestMail(Action action = {}) : action_(std::move(action)) {}

  int delivered = 0;
  int discarded = 0;
  std::vector<const TestMail*>* discard_order = nullptr;

 private:
  void Deliver() noexcept override {
    ++delivered;
    if (action_) action_();
  }
  void Discard() noexcept override {
    ++discarded;
    if (discard_order != nullptr) discard_order->push_back(this);
  }

  Action action_;
};

TEST_CASE("mail is delivered in the order in which it was pushed", "[mailbox]") {
  Mailbox mailbox;
  std::vector<int> order;
  TestMail mail([&] { order.push_back(1); });
  REQUIRE(mailbox.Push([&] { order.push_back(0); }));
  REQUIRE(mailbox.Push(mail));
  REQUIRE(mailbox.Push([&] { order.push_back(2); }));
  CHECK(mailbox.DeliverAll() == 3);
  CHECK(order == std::vector<int>{0, 1, 2});
  CHECK(mailbox.DeliverAll() == 0);
}

TEST_CASE("a mailbox tells whether mail waits, the rest of a running delivery included",
          "[mailbox]") {
  Mailbox mailbox;
  std::vector<bool> waiting;
  std::vector<bool> unread;
  CHECK_FALSE(mailbox.HasMail());
  CHECK_FALSE(mailbox.HasUnread());
  for (int i = 0; i < 3; ++i) {
    REQUIRE(mailbox.Push([&] {
      waiting.push_back(mailbox.HasMail());
      unread.push_back(mailbox.HasUnread());
    }));
  }
  CHECK(mailbox.HasMail());
  CHECK(mailbox.HasUnread());
  mailbox.DeliverAll();
  CHECK(waiting == std::vector<bool>{true, true, false});
  CHECK(unread == std::vector<bool>{false, false, false});
  CHECK_FALSE(mailbox.HasMail());
}

TEST_CASE("what is pushed during a delivery waits for the next", "[mailbox]") {
  Mailbox mailbox;
  TestMail* self = nullptr;
  bool pushed = true;
  TestMail mail([&] { pushed = pushed && mailbox.Push(*self); });
  self = &mail;
  int tasks = 0;
  REQUIRE(mailbox.Push(mail));
  REQUIRE(mailbox.Push([&] { pushed = pushed && mailbox.Push([&] { ++tasks; }); }));
  CHECK(mailbox.DeliverAll() == 2);
  CHECK(mail.delivered == 1);
  CHECK(tasks == 0);
  CHECK(mailbox.HasMail());
  CHECK(mailbox.HasUnread());
  CHECK(mailbox.DeliverAll() == 2);
  CHECK(mail.delivered == 2);
  CHECK(tasks == 1);
  CHECK(pushed);
  mailbox.Close();
  CHECK(mail.discarded == 1);
}

TEST_CASE("a mail may destroy itself when it is delivered", "[mailbox]") {
  Mailbox mailbox;
  std::unique_ptr<TestMail> mail;
  int after = 0;
  mail = std::make_unique<TestMail>([&] {
    ++after;
    const auto last = std::move(mail);
  });
  // The action lies in the mail: it uses nothing of it once the mail is gone.
  REQUIRE(mailbox.Push(*mail));
  REQUIRE(mailbox.Push([&] { ++after; }));
  CHECK(mailbox.DeliverAll() == 2);
  CHECK(after == 2);
  CHECK(mail == nullptr);
}

TEST_CASE("a bounded delivery leaves the rest for the next call, before what came meanwhile",
          "[mailbox]") {
  Mailbox mailbox;
  std::vector<int> order;
  bool pushed = true;
  for (int i = 0; i < 5; ++i) {
    REQUIRE(mailbox.Push([&, i] {
      order.push_back(i);
      pushed = mailbox.Push([&, i] { order.push_back(10 + i); }) && pushed;
    }));
  }
  CHECK(mailbox.Deliver(2) == 2);
  CHECK(order == std::vector<int>{0, 1});
  CHECK(mailbox.HasMail());
  CHECK(mailbox.Deliver(100) == 3);
  CHECK(mailbox.HasUnread());
  CHECK(mailbox.Deliver(1) == 1);
  CHECK_FALSE(mailbox.HasUnread());
  CHECK(mailbox.HasMail());
  CHECK(mailbox.DeliverAll() == 4);
  CHECK(mailbox.Deliver(1) == 0);
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 10, 11, 12, 13, 14});
  CHECK(pushed);
}

TEST_CASE("what a bounded delivery left is discarded first when the mailbox is closed",
          "[mailbox]") {
  Mailbox mailbox;
  std::vector<const TestMail*> order;
  TestMail first;
  TestMail left;
  TestMail newer;
  left.discard_order = newer.discard_order = &order;
  REQUIRE(mailbox.Push(first));
  REQUIRE(mailbox.Push(left));
  CHECK(mailbox.Deliver(1) == 1);
  REQUIRE(mailbox.Push(newer));
  mailbox.Close();
  CHECK(order == std::vector<const TestMail*>{&left, &newer});
}

TEST_CASE("a mailbox is closed if it is empty, and left alone if it is not", "[mailbox]") {
  Mailbox mailbox;
  int runs = 0;
  REQUIRE(mailbox.Push([&] { ++runs; }));
  CHECK_FALSE(mailbox.CloseIfEmpty());
  REQUIRE(mailbox.Push([&] { ++runs; }));
  CHECK(mailbox.Deliver(1) == 1);
  CHECK_FALSE(mailbox.CloseIfEmpty());
  CHECK(mailbox.Deliver(1) == 1);
  CHECK(mailbox.CloseIfEmpty());
  CHECK(mailbox.CloseIfEmpty());
  CHECK_FALSE(mailbox.Push([&] { ++runs; }));
  CHECK(runs == 2);
}

TEST_CASE("a task runner runs the tasks, and hears of those that are discarded", "[mailbox]") {
  class Runner final : public TaskRunner {
   public:
    void RunTask(Task& task) noexcept override {
      try {
        task();
      } catch (int thrown) {
        last_thrown = thrown;
      }
    }
    void DropTask(Task& task) noexcept override { dropped += task ? 1 : 0; }
    int last_thrown = 0;
    int dropped = 0;
  };
  Runner runner;
  Mailbox mailbox(runner);
  const auto held = std::make_shared<int>(0);
  REQUIRE(mailbox.Push([held] { throw 7; }));
  REQUIRE(mailbox.Push([held] {}));
  CHECK(mailbox.Deliver(1) == 1);
  CHECK(runner.last_thrown == 7);
  CHECK(held.use_count() == 2);
  mailbox.Close();
  CHECK(runner.dropped == 1);
  CHECK(held.use_count() == 1);
}

TEST_CASE("a task is destroyed right after it ran, before the next mail", "[mailbox]") {
  Mailbox mailbox;
  const auto held = std::make_shared<int>(0);
  std::vector<long> holders;
  for (int i = 0; i < 3; ++i)
    REQUIRE(mailbox.Push([held, &holders] { holders.push_back(held.use_count()); }));
  mailbox.DeliverAll();
  CHECK(holders == std::vector<long>{4, 3, 2});
  CHECK(held.use_count() == 1);
}

TEST_CASE("a task whose end pushes again is no special case", "[mailbox]") {
  Mailbox mailbox;
  bool ran = false;
  const auto push_at_end = [&](void*) { ran = mailbox.Push([] {}); };
  REQUIRE(
      mailbox.Push([guard = std::unique_ptr<void, decltype(push_at_end)>(&ran, push_at_end)] {}));
  CHECK(mailbox.DeliverAll() == 1);
  CHECK(ran);
  CHECK(mailbox.DeliverAll() == 1);
}

TEST_CASE("a closed mailbox discards what it has, in order, and refuses what comes", "[mailbox]") {
  Mailbox mailbox;
  const auto held = std::make_shared<int>(0);
  TestMail mail;
  bool ran = false;
  REQUIRE(mailbox.Push(mail));
  REQUIRE(mailbox.Push([held, &ran] { ran = true; }));
  mailbox.Close();
  CHECK(mail.discarded == 1);
  CHECK(held.use_count() == 1);
  CHECK_FALSE(mailbox.HasMail());
  CHECK_FALSE(mailbox.HasUnread());
  CHECK_FALSE(mailbox.Push(mail));
  CHECK_FALSE(mailbox.Push([held, &ran] { ran = true; }));
  CHECK(held.use_count() == 1);
  mailbox.Close();
  CHECK(mailbox.DeliverAll() == 0);
  CHECK(mail.discarded == 1);
  CHECK(mail.delivered == 0);
  CHECK_FALSE(ran);
}

TEST_CASE("a mailbox that is destroyed discards what it has", "[mailbox]") {
  TestMail mail;
  const auto held = std::make_shared<int>(0);
  {
    Mailbox mailbox;
    REQUIRE(mailbox.Push(mail));
    REQUIRE(mailbox.Push([held] {}));
  }
  CHECK(mail.discarded == 1);
  CHECK(held.use_count() == 1);
}

TEST_CASE("a mailbox closed from inside a delivery discards the rest of it and what came meanwhile",
          "[mailbox]") {
  Mailbox mailbox;
  std::vector<const TestMail*> order;
  TestMail rest;
  TestMail meanwhile;
  rest.discard_order = &order;
  meanwhile.discard_order = &order;
  bool pushed = false;
  bool refused = false;
  REQUIRE(mailbox.Push([&] {
    pushed = mailbox.Push(meanwhile);
    mailbox.Close();
    refused = !mailbox.Push([] {});
  }));
  REQUIRE(mailbox.Push(rest));
  CHECK(mailbox.DeliverAll() == 1);
  CHECK(pushed);
  CHECK(refused);
  CHECK(order == std::vector<const TestMail*>{&rest, &meanwhile});
  CHECK(rest.delivered + meanwhile.delivered == 0);
}

TEST_CASE("a task that closes the mailbox and pushes while it is discarded is refused",
          "[mailbox]") {
  Mailbox mailbox;
  int refused = 0;
  const auto at_end = [&](void*) {
    mailbox.Close();
    refused += mailbox.Push([] {}) ? 0 : 1;
  };
  for (int i = 0; i < 3; ++i)
    REQUIRE(mailbox.Push([guard = std::unique_ptr<void, decltype(at_end)>(&refused, at_end)] {}));
  mailbox.Close();
  CHECK(refused == 3);
}

TEST_CASE("strictly ordered hand-offs between threads arrive in that order", "[mailbox]") {
  const std::size_t writers = GENERATE(2U, 3U);
  CAPTURE(writers);
  Mailbox mailbox;
  Turns turns;
  std::uint64_t expected = 0;
  std::uint64_t swapped = 0;
  std::vector<std::thread> threads;
  for (std::size_t writer = 0; writer < writers; ++writer) {
    threads.emplace_back([&, writer] {
      for (std::uint64_t i = writer; turns.Await(i); i += writers) {
        if (!mailbox.Push([&expected, &swapped, i] { swapped += i == expected++ ? 0U : 1U; }))
          return turns.GiveUp();
        turns.Pass(i);
      }
    });
  }
  while (!turns.IsOver()) {
    mailbox.DeliverAll();
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  mailbox.DeliverAll();
  CHECK(turns.Count() >= Turns::kFew);
  CHECK(expected == turns.Count());
  CHECK(swapped == 0);
}

TEST_CASE("eight writers lose nothing and keep each one's order", "[mailbox]") {
  constexpr std::size_t kWriters = 8;
  constexpr std::size_t kEach = 20'000;
  Mailbox mailbox;
  std::array<std::size_t, kWriters> next{};
  std::size_t out_of_order = 0;
  std::atomic<std::size_t> refused{0};
  std::vector<std::thread> threads;
  for (std::size_t writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      for (std::size_t i = 0; i < kEach; ++i) {
        if (!mailbox.Push([&next, &out_of_order, writer, i] {
              out_of_order += next[writer]++ == i ? 0U : 1U;
            }))
          ++refused;
      }
    });
  }
  const Deadline deadline;
  std::size_t delivered = 0;
  while (delivered < kWriters * kEach && !deadline.Passed()) {
    delivered += mailbox.DeliverAll();
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(delivered == kWriters * kEach);
  CHECK(refused == 0);
  CHECK(out_of_order == 0);
}

TEST_CASE("a mailbox closed while writers push runs or destroys each task, exactly once",
          "[mailbox]") {
  constexpr int kWriters = 4;
  for (int round = 0; round < 200; ++round) {
    Mailbox mailbox;
    std::atomic<int> pushed{0};
    std::atomic<int> refused{0};
    std::atomic<int> runs{0};
    std::atomic<int> ends{0};
    std::vector<std::thread> threads;
    for (int writer = 0; writer < kWriters; ++writer) {
      threads.emplace_back([&] {
        while (mailbox.Push(Fate(runs, ends))) ++pushed;
        ++refused;
      });
    }
    const Deadline deadline;
    std::size_t delivered = 0;
    while (delivered < static_cast<std::size_t>(round) && !deadline.Passed())
      delivered += mailbox.DeliverAll();
    mailbox.Close();
    for (std::thread& thread : threads) thread.join();
    REQUIRE(refused == kWriters);
    REQUIRE(runs == static_cast<int>(delivered));
    REQUIRE(runs <= pushed);
    REQUIRE(ends == pushed + refused);
  }
}

TEST_CASE("more tasks at once than the pool keeps nodes for are all run", "[mailbox]") {
  constexpr std::size_t kTasks = 70'000;
  Mailbox mailbox;
  std::size_t runs = 0;
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < kTasks; ++i)
      if (!mailbox.Push([&runs] { ++runs; })) return;
    CHECK(mailbox.DeliverAll() == kTasks);
  }
  CHECK(runs == 2 * kTasks);
}

TEST_CASE("a warm mailbox allocates nothing for a task", "[mailbox]") {
  Mailbox mailbox;
  std::size_t runs = 0;
  bool pushed = true;
  const auto burst = [&] {
    for (int i = 0; i < 1000; ++i) pushed = mailbox.Push([&runs] { ++runs; }) && pushed;
    mailbox.DeliverAll();
  };
  burst();
  const std::size_t before = test::allocation_count;
  REQUIRE(before > 0);
  for (int round = 0; round < 100; ++round) burst();
  const std::size_t allocated = test::allocation_count - before;
  CHECK(allocated == 0);
  CHECK(pushed);
  CHECK(runs == 101'000);
}

}  // namespace
}  // namespace netcore::test
