// TimerQueue: what fires when, and a long random run against a list that is searched from end to
// end.
#include "netcore/base/timer_queue.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "tests/support/catch.h"

namespace netcore {
namespace {

TimePoint At(std::int64_t tick) { return TimePoint(Duration(tick)); }

class TestTimer final : public Timer {
 public:
  using Action = std::function<void(TimePoint now)>;

  explicit TestTimer(Action action = {}) : action_(std::move(action)) {}

  int fired = 0;

 private:
  void OnTimer(TimePoint now) noexcept override {
    ++fired;
    if (!action_) return;
    const Action action = action_;  // the timer may be gone before it returns
    action(now);
  }

  Action action_;
};

TEST_CASE("an empty queue has nothing to do, ever", "[timer]") {
  TimerQueue queue;
  CHECK(queue.NextDeadline() == kNever);
  CHECK(queue.FireDue(At(1000)) == 0);
  CHECK(queue.Count() == 0);
}

TEST_CASE("a timer fires once, at its deadline and not before", "[timer]") {
  TimerQueue queue;
  TestTimer timer;
  CHECK_FALSE(timer.IsArmed());
  queue.Arm(timer, At(10));
  CHECK(timer.IsArmed());
  CHECK(timer.Deadline() == At(10));
  CHECK(queue.NextDeadline() == At(10));
  CHECK(queue.FireDue(At(9)) == 0);
  CHECK(queue.FireDue(At(10)) == 1);
  CHECK(queue.FireDue(At(11)) == 0);
  CHECK(timer.fired == 1);
  CHECK_FALSE(timer.IsArmed());
}

TEST_CASE("timers fire in the order of their deadlines, equal ones as they were armed", "[timer]") {
  TimerQueue queue;
  std::vector<int> order;
  std::vector<std::unique_ptr<TestTimer>> timers;
  for (int i = 0; i < 100; ++i) {
    timers.push_back(std::make_unique<TestTimer>([&order, i](TimePoint) { order.push_back(i); }));
    queue.Arm(*timers.back(), At(100 - i / 10));
  }
  CHECK(queue.FireDue(At(100)) == 100);
  std::vector<int> expected;
  for (int group = 9; group >= 0; --group)
    for (int i = 0; i < 10; ++i) expected.push_back(group * 10 + i);
  CHECK(order == expected);
}

TEST_CASE("a deadline moved later does not fire at the old one", "[timer]") {
  TimerQueue queue;
  TestTimer timer;
  queue.Arm(timer, At(10));
  queue.Arm(timer, At(30));
  CHECK(queue.Count() == 1);
  CHECK(queue.NextDeadline() <= At(30));
  CHECK(queue.FireDue(At(29)) == 0);
  CHECK(queue.NextDeadline() == At(30));
  CHECK(queue.FireDue(At(30)) == 1);
}

TEST_CASE("a deadline moved earlier, also after it was moved later, fires at the new one",
          "[timer]") {
  TimerQueue queue;
  TestTimer timer;
  TestTimer other;
  queue.Arm(other, At(15));
  queue.Arm(timer, At(20));
  queue.Arm(timer, At(10));
  CHECK(queue.NextDeadline() == At(10));
  queue.Arm(timer, At(30));
  queue.Arm(timer, At(12));
  CHECK(queue.FireDue(At(12)) == 1);
  CHECK(timer.fired == 1);
  CHECK(other.fired == 0);
  queue.Cancel(other);
}

TEST_CASE("a cancelled timer does not fire and may be armed again", "[timer]") {
  TimerQueue queue;
  TestTimer timer;
  queue.Cancel(timer);
  queue.Arm(timer, At(10));
  queue.Cancel(timer);
  CHECK_FALSE(timer.IsArmed());
  CHECK(queue.NextDeadline() == kNever);
  queue.Arm(timer, At(20));
  queue.Arm(timer, kNever);
  CHECK_FALSE(timer.IsArmed());
  CHECK(queue.FireDue(At(100)) == 0);
  queue.Arm(timer, At(101));
  CHECK(queue.FireDue(At(101)) == 1);
}

TEST_CASE("a destroyed timer leaves its queue", "[timer]") {
  TimerQueue queue;
  TestTimer stays;
  auto goes = std::make_unique<TestTimer>();
  queue.Arm(*goes, At(1));
  queue.Arm(stays, At(2));
  goes.reset();
  CHECK(queue.Count() == 1);
  CHECK(queue.FireDue(At(5)) == 1);
  CHECK(stays.fired == 1);
}

TEST_CASE("a timer armed from inside for now or earlier waits for the next call", "[timer]") {
  const std::int64_t again_at = GENERATE(3, 10);  // before now, and now
  TimerQueue queue;
  TestTimer* self = nullptr;
  TestTimer timer([&](TimePoint) {
    queue.Arm(*self, At(again_at));
    CHECK(queue.NextDeadline() <= At(again_at));
  });
  self = &timer;
  TestTimer later;
  queue.Arm(timer, At(5));
  queue.Arm(later, At(10));
  CHECK(queue.FireDue(At(10)) == 2);
  CHECK(timer.fired == 1);
  CHECK(queue.NextDeadline() == At(again_at));
  CHECK(queue.FireDue(At(10)) == 1);
  CHECK(timer.fired == 2);
  queue.Cancel(timer);
  CHECK(queue.Count() == 0);
}

TEST_CASE("a timer that is due and armed anew from inside waits for the next call", "[timer]") {
  TimerQueue queue;
  TestTimer second;
  TestTimer first([&](TimePoint now) {
    queue.Arm(second, now);
    queue.Arm(second, now - Duration(1));
  });
  queue.Arm(first, At(1));
  queue.Arm(second, At(2));
  CHECK(queue.FireDue(At(10)) == 1);
  CHECK(second.fired == 0);
  CHECK(second.Deadline() == At(9));
  CHECK(queue.FireDue(At(10)) == 1);
}

TEST_CASE("a timer that was put off from inside can be cancelled, moved and destroyed there",
          "[timer]") {
  TimerQueue queue;
  TestTimer cancelled;
  TestTimer moved;
  auto destroyed = std::make_unique<TestTimer>();
  TestTimer first([&](TimePoint now) {
    queue.Arm(cancelled, now);
    queue.Arm(*destroyed, now);
    queue.Arm(moved, now);
    queue.Arm(moved, now + Duration(5));
    queue.Cancel(cancelled);
    destroyed.reset();
  });
  queue.Arm(first, At(10));
  CHECK(queue.FireDue(At(10)) == 1);
  CHECK(queue.Count() == 1);
  CHECK(queue.FireDue(At(14)) == 0);
  CHECK(queue.FireDue(At(15)) == 1);
  CHECK(moved.fired == 1);
}

TEST_CASE("a timer destroys itself and others that are due", "[timer]") {
  TimerQueue queue;
  std::vector<std::unique_ptr<TestTimer>> timers(3);
  int fired = 0;
  timers[0] = std::make_unique<TestTimer>([&](TimePoint) {
    ++fired;
    timers[0].reset();
    timers[2].reset();
  });
  timers[1] = std::make_unique<TestTimer>([&](TimePoint) { ++fired; });
  timers[2] = std::make_unique<TestTimer>([&](TimePoint) { ++fired; });
  for (std::size_t i = 0; i < timers.size(); ++i)
    queue.Arm(*timers[i], At(static_cast<std::int64_t>(i)));
  CHECK(queue.FireDue(At(10)) == 2);
  CHECK(fired == 2);
  CHECK(queue.Count() == 0);
}

// The same operations on a TimerQueue and on a plain list of deadlines.
class ModelRun {
 public:
  explicit ModelRun(unsigned seed) : random_(seed) {
    for (std::size_t i = 0; i < kTimers; ++i) timers_.push_back(MakeTimer(i));
    expected_.assign(kTimers, kNever);
  }

  void Step() {
    const std::size_t i = random_() % kTimers;
    switch (random_() % 8) {
      case 0:
        queue_.Cancel(*timers_[i]);
        expected_[i] = kNever;
        break;
      case 1:
        timers_[i] = MakeTimer(i);
        expected_[i] = kNever;
        break;
      case 2:
        Fire();
        break;
      default:
        Arm(i);
    }
    Check();
  }

 private:
  static constexpr std::size_t kTimers = 60;

  std::unique_ptr<TestTimer> MakeTimer(std::size_t i) {
    return std::make_unique<TestTimer>([this, i](TimePoint now) { OnFired(i, now); });
  }

  void Arm(std::size_t i) {
    expected_[i] = now_ + Duration(static_cast<std::int64_t>(random_() % 40) - 5);
    queue_.Arm(*timers_[i], expected_[i]);
  }

  void Fire() {
    now_ += Duration(random_() % 10);
    put_off_.assign(kTimers, false);
    last_ = TimePoint::min();
    std::size_t due = 0;
    for (const TimePoint deadline : expected_) due += deadline <= now_ ? 1U : 0U;
    fired_ = 0;
    gone_ = 0;
    wrong_ = false;
    REQUIRE(queue_.FireDue(now_) == fired_);
    REQUIRE_FALSE(wrong_);
    REQUIRE(fired_ + gone_ == due);
  }

  // Inside: no REQUIRE, which throws.
  void OnFired(std::size_t i, TimePoint now) {
    ++fired_;
    wrong_ = wrong_ || now != now_ || put_off_[i] || expected_[i] > now || expected_[i] < last_ ||
             timers_[i]->IsArmed();
    for (std::size_t other = 0; other < kTimers; ++other)
      wrong_ = wrong_ || (!put_off_[other] && expected_[other] < expected_[i]);
    last_ = expected_[i];
    expected_[i] = kNever;
    if (random_() % 2 == 0) ChangeOne();
  }

  void ChangeOne() {
    const std::size_t i = random_() % kTimers;
    const bool was_due = expected_[i] <= now_ && !put_off_[i];
    put_off_[i] = false;
    if (random_() % 4 == 0) {
      queue_.Cancel(*timers_[i]);
      expected_[i] = kNever;
    } else {
      Arm(i);
      put_off_[i] = expected_[i] <= now_;
    }
    gone_ += was_due ? 1U : 0U;
  }

  void Check() {
    TimePoint earliest = kNever;
    std::size_t armed = 0;
    for (std::size_t i = 0; i < kTimers; ++i) {
      REQUIRE(timers_[i]->Deadline() == expected_[i]);
      armed += timers_[i]->IsArmed() ? 1U : 0U;
      earliest = std::min(earliest, expected_[i]);
    }
    REQUIRE(queue_.Count() == armed);
    REQUIRE(queue_.NextDeadline() <= earliest);
    REQUIRE((queue_.NextDeadline() == kNever) == (armed == 0));
  }

  std::mt19937 random_;
  TimerQueue queue_;
  std::vector<std::unique_ptr<TestTimer>> timers_;
  std::vector<TimePoint> expected_;
  std::vector<bool> put_off_;  // armed from inside for now or earlier
  TimePoint now_ = At(1000);
  TimePoint last_{};
  std::size_t fired_ = 0;
  std::size_t gone_ = 0;  // due at first, then moved or cancelled from inside
  bool wrong_ = false;
};

TEST_CASE("a long random run fires what a plain list would", "[timer]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  ModelRun run(seed);
  for (int step = 0; step < 100'000; ++step) {
    run.Step();
  }
}

TEST_CASE("the same run fires in the same order, wherever the timers lie", "[timer]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  const auto run = [seed](bool backwards) {
    constexpr std::size_t kTimers = 200;
    std::mt19937 random(seed);
    TimerQueue queue;
    std::vector<std::size_t> order;
    std::vector<std::unique_ptr<TestTimer>> named;
    for (std::size_t i = 0; i < kTimers; ++i)
      named.push_back(std::make_unique<TestTimer>([&order, i](TimePoint) { order.push_back(i); }));
    std::vector<TestTimer*> by_name;
    for (const auto& timer : named) by_name.push_back(timer.get());
    if (backwards) std::ranges::reverse(by_name);
    for (int i = 0; i < 2000; ++i) queue.Arm(*by_name[random() % kTimers], At(random() % 8));
    queue.FireDue(At(10));
    if (backwards)
      for (std::size_t& i : order) i = kTimers - 1 - i;
    return order;
  };
  const std::vector<std::size_t> order = run(false);
  CHECK(order.size() > 100);
  CHECK(order == run(true));
}

}  // namespace
}  // namespace netcore
