// JobQueue: order, turns, bounds, timed jobs and ends, one step at a time.
#include "netcore/logic/job_queue.h"

#include <array>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/logic/logic_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/counting_new.h"

namespace netcore::test {
namespace {

using Order = std::vector<int>;

TEST_CASE("jobs run in the order in which they were pushed, and never inside the push",
          "[job_queue]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue();
  Order order;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(queue->Push([&order, i] { order.push_back(i); }) == PushResult::kQueued);
  }
  CHECK(order.empty());
  CHECK(queue->Stats().waiting == 100);
  pool.RunAll();
  Order expected;
  for (int i = 0; i < 100; ++i) expected.push_back(i);
  CHECK(order == expected);
  CHECK(queue->Stats().waiting == 0);
  CHECK(queue->Stats().run == 100);
  CHECK(queue->Stats().pushed == 100);
}

TEST_CASE("a queue gives way to the others after a batch", "[job_queue]") {
  const ManualPool pool;
  const JobQueueRef first = pool.MakeQueue();
  const JobQueueRef second = pool.MakeQueue();
  Order order;
  for (int i = 0; i < 5; ++i)
    REQUIRE(first->Push([&] { order.push_back(1); }) == PushResult::kQueued);
  for (int i = 0; i < 3; ++i)
    REQUIRE(second->Push([&] { order.push_back(2); }) == PushResult::kQueued);
  pool.RunAll(2);
  CHECK(order == Order{1, 1, 2, 2, 1, 1, 2, 1});
}

TEST_CASE("a queue that always has more gives way too", "[job_queue]") {
  const ManualPool pool;
  const JobQueueRef busy = pool.MakeQueue();
  const JobQueueRef other = pool.MakeQueue();
  int runs = 0;
  struct Again {
    void operator()() const {
      if (++*runs < 1'000) static_cast<void>(queue->Push(Again{queue, runs}));
    }
    JobQueue* queue;
    int* runs;
  };
  REQUIRE(busy->Push(Again{busy.get(), &runs}) == PushResult::kQueued);
  int runs_then = 0;
  REQUIRE(other->Push([&] { runs_then = runs; }) == PushResult::kQueued);
  pool.RunAll(32);
  CHECK(runs == 1'000);
  CHECK(runs_then == 32);
}

TEST_CASE("a job pushes to its own queue and to others", "[job_queue]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue();
  const JobQueueRef other = pool.MakeQueue();
  Order order;
  bool pushed = true;
  const auto push = [&](JobQueue& to, int number) {
    pushed =
        to.Push([&order, number] { order.push_back(number); }) == PushResult::kQueued && pushed;
  };
  push(*queue, 0);
  REQUIRE(queue->Push([&] {
    push(*queue, 2);
    push(*other, 3);
  }) == PushResult::kQueued);
  push(*queue, 1);
  pool.RunAll();
  CHECK(order == Order{0, 1, 2, 3});
  CHECK(pushed);
}

TEST_CASE("a job knows which queue it runs in", "[job_queue]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue();
  const JobQueueRef other = pool.MakeQueue();
  std::vector<bool> answers;
  REQUIRE(queue->Push([&] { answers = {queue->IsRunningHere(), other->IsRunningHere()}; }) ==
          PushResult::kQueued);
  CHECK_FALSE(queue->IsRunningHere());
  pool.RunAll();
  CHECK(answers == std::vector<bool>{true, false});
  CHECK_FALSE(queue->IsRunningHere());
}

TEST_CASE("a full queue refuses, counts, and takes again when a job has begun", "[job_queue]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue(3);
  const auto held = std::make_shared<int>(0);
  PushResult inside = PushResult::kClosed;
  REQUIRE(queue->Push([&] { inside = queue->Push([] {}); }) == PushResult::kQueued);
  REQUIRE(queue->Push([] {}) == PushResult::kQueued);
  REQUIRE(queue->Push([] {}) == PushResult::kQueued);
  CHECK(queue->Push([held] {}) == PushResult::kFull);
  CHECK(queue->PushAfter(Duration::zero(), [held] {}).result == PushResult::kFull);
  CHECK(held.use_count() == 1);
  CHECK(queue->Stats().refused == 2);
  CHECK(queue->Stats().waiting == 3);
  pool.executor->RunStep(0, 1);
  CHECK(inside == PushResult::kQueued);
  CHECK(queue->Push([] {}) == PushResult::kFull);
  pool.RunAll();
  CHECK(queue->Stats().run == 4);
  CHECK(queue->Stats().refused == 3);
  CHECK(queue->Push([] {}) == PushResult::kQueued);
  pool.RunAll();
}

TEST_CASE("a queue without a limit refuses nothing", "[job_queue]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue(0);
  int runs = 0;
  bool pushed = true;
  for (int i = 0; i < 100'000; ++i)
    pushed = queue->Push([&] { ++runs; }) == PushResult::kQueued && pushed;
  pool.RunAll();
  CHECK(pushed);
  CHECK(runs == 100'000);
}

TEST_CASE("jobs that throw again and again are told once a second, whatever their queues",
          "[logic]") {
  const ManualPool pool;
  const JobQueueRef queues[] = {pool.MakeQueue(1'000, "one"), pool.MakeQueue(1'000, "two")};
  for (int round = 0; round < 100; ++round) {
    REQUIRE(queues[round % 2]->Push([] { throw std::runtime_error("no such player"); }) ==
            PushResult::kQueued);
    pool.RunAll();
    pool.Advance(milliseconds(10));
  }
  CHECK(pool.log.All() == "job queue one: a job threw: no such player\n");
  REQUIRE(queues[1]->Push([] { throw 7; }) == PushResult::kQueued);
  pool.RunAll();
  CHECK(pool.log.Count("job queue two: a job threw (99 more like it)") == 1);
  CHECK(queues[0]->Stats().thrown + queues[1]->Stats().thrown == 101);
}

TEST_CASE("a job that throws is logged with the queue's name, and the queue goes on",
          "[job_queue]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue(100, "lobby");
  bool ran = false;
  REQUIRE(queue->Push([] { throw std::runtime_error("no such player"); }) == PushResult::kQueued);
  REQUIRE(queue->Push([] { throw 7; }) == PushResult::kQueued);
  REQUIRE(queue->PushAfter(Duration::zero(), [] { throw 8; }).result == PushResult::kQueued);
  REQUIRE(queue->Push([&] { ran = true; }) == PushResult::kQueued);
  pool.RunAll();
  CHECK(ran);
  CHECK(pool.log.Count("job queue lobby: a job threw: no such player") == 1);
  CHECK(pool.log.Count("job queue lobby: a job threw") == 1);
  CHECK(queue->Stats().thrown == 3);
  CHECK(queue->Stats().run == 4);
}

TEST_CASE("a queue may have a log of its own", "[job_queue]") {
  const ManualPool pool;
  LogLines own;
  JobQueueOptions options;
  options.log = std::make_shared<const Log>(own.Sink());
  const JobQueueRef queue = JobQueue::Create(pool.executor, options);
  REQUIRE(queue->Push([] { throw 7; }) == PushResult::kQueued);
  pool.RunAll();
  CHECK(own.Count("a job threw") == 1);
  CHECK(pool.log.Count("a job threw") == 0);
  // What the one log was told does not silence the other.
  REQUIRE(pool.MakeQueue()->Push([] { throw 7; }) == PushResult::kQueued);
  pool.RunAll();
  CHECK(pool.log.Count("a job threw") == 1);
}

TEST_CASE("a job is destroyed right after it ran, before the next", "[job_queue]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue();
  const auto held = std::make_shared<int>(0);
  std::vector<long> holders;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(queue->Push([held, &holders] { holders.push_back(held.use_count()); }) ==
            PushResult::kQueued);
  }
  pool.RunAll();
  CHECK(holders == std::vector<long>{4, 3, 2});
}

TEST_CASE("a drained queue runs what waits, refuses what comes, and is closed then",
          "[job_queue]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue();
  int runs = 0;
  PushResult inside = PushResult::kQueued;
  for (int i = 0; i < 50; ++i) REQUIRE(queue->Push([&] { ++runs; }) == PushResult::kQueued);
  REQUIRE(queue->Push([&] { inside = queue->Push([&] { ++runs; }); }) == PushResult::kQueued);
  queue->Close(StopMode::kDrain);
  CHECK(queue->Push([] {}) == PushResult::kClosed);
  CHECK(queue->PushAfter(Duration::zero(), [] {}).result == PushResult::kClosed);
  CHECK_FALSE(queue->IsClosed());
  pool.RunAll();
  CHECK(queue->IsClosed());
  CHECK(runs == 50);
  CHECK(inside == PushResult::kClosed);
  CHECK(queue->Stats().dropped == 0);
  CHECK(queue->Stats().refused == 0);
  queue->WaitClosed();
}

TEST_CASE("a dropped queue destroys what waits, in order, without running it", "[job_queue]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue();
  Order ends;
  bool ran = false;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(queue->Push([end = AtEnd([&ends, i] { ends.push_back(i); }), &ran] { ran = true; }) ==
            PushResult::kQueued);
  }
  queue->Close(StopMode::kDrop);
  pool.RunAll();
  CHECK(queue->IsClosed());
  CHECK(ends == Order{0, 1, 2});
  CHECK_FALSE(ran);
  CHECK(queue->Stats().dropped == 3);
  CHECK(queue->Stats().waiting == 0);
}

TEST_CASE("a queue in which nothing waits is closed at once", "[job_queue]") {
  const ManualPool pool;
  for (const StopMode mode : {StopMode::kDrain, StopMode::kDrop}) {
    const JobQueueRef queue = pool.MakeQueue();
    REQUIRE(queue->Push([] {}) == PushResult::kQueued);
    pool.RunAll();
    queue->Close(mode);
    CHECK(queue->IsClosed());
    queue->Close(StopMode::kDrop);
    queue->WaitClosed();
    CHECK(pool.executor->ReadyCount() == 0);
  }
}

TEST_CASE("a queue closed from inside a job", "[job_queue]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue();
  Order order;
  const StopMode mode = GENERATE(StopMode::kDrain, StopMode::kDrop);
  REQUIRE(queue->Push([&, mode] {
    order.push_back(0);
    queue->Close(mode);
    CHECK_FALSE(queue->IsClosed());
    CHECK(queue->Push([] {}) == PushResult::kClosed);
  }) == PushResult::kQueued);
  REQUIRE(queue->Push([&] { order.push_back(1); }) == PushResult::kQueued);
  pool.RunAll();
  CHECK(queue->IsClosed());
  CHECK(order == (mode == StopMode::kDrain ? Order{0, 1} : Order{0}));
  CHECK(queue->Stats().dropped == (mode == StopMode::kDrain ? 0U : 1U));
}

TEST_CASE("a drop cuts a drain short, between two jobs of one batch too", "[job_queue]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue();
  Order order;
  for (int i = 0; i < 4; ++i) {
    REQUIRE(queue->Push([&, i] {
      order.push_back(i);
      if (i == 1) queue->Close(StopMode::kDrop);
    }) == PushResult::kQueued);
  }
  queue->Close(StopMode::kDrain);
  queue->Close(StopMode::kDrain);
  pool.executor->RunStep(0, 1);
  CHECK_FALSE(queue->IsClosed());
  pool.RunAll();
  CHECK(queue->IsClosed());
  CHECK(order == Order{0, 1});
  CHECK(queue->Stats().dropped == 2);
}

TEST_CASE("timed jobs run when they are due, in that order, behind what waits by then",
          "[job_queue][timed]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue();
  Order order;
  const auto push = [&](Duration delay, int number) {
    const TimedPush timed = queue->PushAfter(delay, [&order, number] { order.push_back(number); });
    CHECK(timed.result == PushResult::kQueued);
    CHECK(timed.id);
  };
  push(milliseconds(30), 3);
  push(milliseconds(10), 1);
  push(milliseconds(20), 2);
  push(milliseconds(-5), 0);
  pool.RunAll();
  CHECK(order == Order{0});
  CHECK(queue->Stats().timed == 3);
  CHECK(queue->Stats().waiting == 3);
  pool.Advance(milliseconds(10) - Duration(1));
  pool.RunAll();
  CHECK(order == Order{0});
  pool.Advance(milliseconds(15));
  REQUIRE(queue->Push([&] { order.push_back(9); }) == PushResult::kQueued);
  pool.RunAll();
  CHECK(order == Order{0, 9, 1, 2});
  pool.Advance(milliseconds(20));
  pool.RunAll();
  CHECK(order == Order{0, 9, 1, 2, 3});
  CHECK(queue->Stats().timed == 0);
  CHECK(queue->Stats().pushed == 5);
  CHECK(queue->Stats().run == 5);
}

TEST_CASE("a timed job may push itself again", "[job_queue][timed]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue(1);
  int ticks = 0;
  struct Tick {
    void operator()() const {
      if (++*ticks < 5) {
        CHECK(queue->PushAfter(milliseconds(10), Tick{queue, ticks}).result == PushResult::kQueued);
      }
    }
    JobQueue* queue;
    int* ticks;
  };
  REQUIRE(queue->PushAfter(milliseconds(10), Tick{queue.get(), &ticks}).result ==
          PushResult::kQueued);
  for (int i = 1; i <= 5; ++i) {
    pool.Advance(milliseconds(10));
    pool.RunAll();
    CHECK(ticks == i);
  }
}

TEST_CASE("a delay is of any unit and size: what is not positive is over, forever never is",
          "[job_queue][timed][durations]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue();
  int now = 0;
  int never = 0;
  const auto push = [&](auto delay, int& runs) {
    const TimedPush pushed = queue->PushAfter(delay, [&runs] { ++runs; });
    CHECK(pushed.result == PushResult::kQueued);
    return pushed.id;
  };
  using Seconds = std::chrono::duration<double>;
  push(milliseconds::min(), now);
  push(milliseconds(-1), now);
  push(milliseconds(0), now);
  push(std::chrono::hours::min(), now);
  push(Duration::min(), now);
  push(Seconds(-1e300), now);
  push(kForever, never);
  push(kForever - milliseconds(1), never);
  push(std::chrono::hours::max(), never);
  push(Duration::max(), never);
  push(Seconds(1e300), never);
  pool.RunAll();
  CHECK(now == 6);
  pool.Advance(std::chrono::hours(24 * 365 * 200));
  pool.RunAll();
  pool.Advance(kForever);  // to the end of time
  pool.RunAll();
  CHECK(never == 0);
  CHECK(queue->Stats().timed == 5);
  CHECK(queue->Stats().waiting == 5);
  int soon = 0;
  push(std::chrono::microseconds(-5), soon);
  pool.RunAll();
  CHECK(soon == 1);
}

TEST_CASE("a job that is never due sets no alarm, and has its place until it is cancelled",
          "[job_queue][timed][durations]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue(1);
  const auto held = std::make_shared<int>();
  const TimedPush push = queue->PushAfter(kForever, [held] {});
  REQUIRE(push.result == PushResult::kQueued);
  CHECK(pool.executor->NextAlarm() == kNever);
  CHECK(queue->Push([] {}) == PushResult::kFull);
  CHECK(queue->Cancel(push.id));
  CHECK_FALSE(queue->Cancel(push.id));
  CHECK(held.use_count() == 1);
  CHECK(queue->Stats().timed == 0);
  CHECK(queue->Stats().cancelled == 1);
  CHECK(queue->Push([] {}) == PushResult::kQueued);
  pool.RunAll();
}

TEST_CASE("a job that is never due is dropped by a close, and with its queue",
          "[job_queue][timed][durations]") {
  const ManualPool pool;
  JobQueueRef queue = pool.MakeQueue();
  const auto held = std::make_shared<int>();
  const TimedPush never = queue->PushAfter(kForever, [held] {});
  const bool closes = GENERATE(true, false);
  if (closes) {
    REQUIRE(queue->PushAfter(milliseconds(5), [held] {}).result == PushResult::kQueued);
    REQUIRE(queue->Push([&] {
      queue->Close(StopMode::kDrain);
      CHECK(queue->Stats().timed == 0);
      CHECK(queue->Cancel(never.id));  // its place is given back at once
    }) == PushResult::kQueued);
    pool.RunAll();
    CHECK(queue->IsClosed());
    CHECK(queue->Stats().dropped == 1);
    CHECK(queue->Stats().cancelled == 1);
    CHECK(queue->Stats().waiting == 0);
  }
  queue.reset();
  CHECK(held.use_count() == 1);
}

TEST_CASE("a timed job has its place from the beginning, so that a full queue never loses it",
          "[job_queue][timed]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue(2);
  Order order;
  REQUIRE(queue->PushAfter(milliseconds(10), [&] { order.push_back(1); }).result ==
          PushResult::kQueued);
  REQUIRE(queue->Push([&] { order.push_back(0); }) == PushResult::kQueued);
  CHECK(queue->Push([] {}) == PushResult::kFull);
  pool.Advance(milliseconds(10));
  CHECK(pool.executor->RingOne());
  CHECK(queue->Stats().timed == 0);
  CHECK(queue->Push([] {}) == PushResult::kFull);
  pool.RunAll();
  CHECK(order == Order{0, 1});
}

TEST_CASE("a cancelled timed job never runs and is destroyed at once", "[job_queue][timed]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue();
  const auto held = std::make_shared<int>(0);
  bool ran = false;
  const TimedPush push = queue->PushAfter(milliseconds(10), [held, &ran] { ran = true; });
  CHECK(queue->Cancel(push.id));
  CHECK(held.use_count() == 1);
  CHECK_FALSE(queue->Cancel(push.id));
  CHECK(queue->Stats().waiting == 0);
  CHECK(queue->Stats().cancelled == 1);
  CHECK(pool.executor->NextAlarm() == kNever);
  pool.Advance(milliseconds(20));
  pool.RunAll();
  CHECK_FALSE(ran);
}

TEST_CASE(
    "a timed job that is due and waits can still be cancelled, and keeps its place until its "
    "turn",
    "[job_queue][timed]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue(2);
  const auto held = std::make_shared<int>(0);
  Order order;
  REQUIRE(queue->Push([&] { order.push_back(0); }) == PushResult::kQueued);
  const TimedPush push = queue->PushAfter(Duration::zero(), [held, &order] { order.push_back(1); });
  CHECK(pool.executor->RingOne());
  CHECK(queue->Cancel(push.id));
  CHECK(held.use_count() == 1);
  CHECK_FALSE(queue->Cancel(push.id));
  CHECK(queue->Push([] {}) == PushResult::kFull);
  pool.RunAll();
  CHECK(order == Order{0});
  CHECK(queue->Stats().cancelled == 1);
  CHECK(queue->Stats().run == 1);
  CHECK(queue->Stats().waiting == 0);
}

TEST_CASE("a timed job that has begun, has run, or never was can't be cancelled",
          "[job_queue][timed]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue();
  CHECK_FALSE(queue->Cancel(JobId()));
  JobId id;
  bool cancelled = true;
  id = queue->PushAfter(milliseconds(1), [&] { cancelled = queue->Cancel(id); }).id;
  pool.Advance(milliseconds(1));
  pool.RunAll();
  CHECK_FALSE(cancelled);
  CHECK_FALSE(queue->Cancel(id));

  // The next one has the same place in memory and another name.
  bool ran = false;
  const TimedPush next = queue->PushAfter(milliseconds(1), [&] { ran = true; });
  CHECK_FALSE(next.id == id);
  CHECK_FALSE(queue->Cancel(id));
  pool.Advance(milliseconds(1));
  pool.RunAll();
  CHECK(ran);
}

TEST_CASE("an alarm that is set anew before the queue hears that it rang is not left over",
          "[job_queue][timed]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue();
  Order order;
  const TimedPush first = queue->PushAfter(milliseconds(10), [&order] { order.push_back(1); });
  pool.Advance(milliseconds(10));
  REQUIRE(pool.executor->TakeAlarm());
  REQUIRE(queue->Cancel(first.id));
  REQUIRE(queue->PushAfter(Duration::zero(), [&order] { order.push_back(2); }).id);
  CHECK(pool.executor->RingOne());
  CHECK(pool.executor->NextAlarm() == kNever);
  pool.RunAll();
  CHECK(order == Order{2});
  queue->Close(StopMode::kDrain);
  CHECK(queue->IsClosed());
}

TEST_CASE("an alarm that rang before its queue was closed, and is heard of later, does nothing",
          "[job_queue][timed]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue();
  REQUIRE(queue->PushAfter(milliseconds(10), [] {}).id);
  pool.Advance(milliseconds(10));
  REQUIRE(pool.executor->TakeAlarm());
  queue->Close(StopMode::kDrain);
  CHECK(queue->IsClosed());
  CHECK(queue->Stats().dropped == 1);
  CHECK(pool.executor->RingOne());
  CHECK(pool.executor->NextAlarm() == kNever);
  CHECK(pool.executor->ReadyCount() == 0);
}

TEST_CASE("a close drops what is not due yet, whatever the mode", "[job_queue][timed]") {
  const ManualPool pool;
  for (const StopMode mode : {StopMode::kDrain, StopMode::kDrop}) {
    const JobQueueRef queue = pool.MakeQueue();
    const auto held = std::make_shared<int>(0);
    Order order;
    const TimedPush push =
        queue->PushAfter(milliseconds(10), [held, &order] { order.push_back(9); });
    REQUIRE(queue->PushAfter(Duration::zero(), [&] { order.push_back(0); }).result ==
            PushResult::kQueued);
    CHECK(pool.executor->RingOne());
    queue->Close(mode);
    CHECK(pool.executor->NextAlarm() == kNever);
    pool.RunAll();
    CHECK(queue->IsClosed());
    CHECK(held.use_count() == 1);
    CHECK(order == (mode == StopMode::kDrain ? Order{0} : Order{}));
    CHECK(queue->Stats().dropped == (mode == StopMode::kDrain ? 1U : 2U));
    CHECK_FALSE(queue->Cancel(push.id));
  }
}

TEST_CASE("a timed job can be cancelled while its queue drains", "[job_queue][timed]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue();
  REQUIRE(queue->Push([] {}) == PushResult::kQueued);
  const TimedPush push = queue->PushAfter(milliseconds(10), [] {});
  queue->Close(StopMode::kDrain);
  CHECK(queue->Cancel(push.id));
  pool.RunAll();
  CHECK(queue->IsClosed());
  CHECK(queue->Stats().cancelled == 1);
  CHECK(queue->Stats().dropped == 0);
}

TEST_CASE("jobs may use their queue while they are destroyed", "[job_queue]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue();
  int refused = 0;
  const auto use = [&] {
    refused += queue->Push([] {}) == PushResult::kClosed ? 1 : 0;
    refused += queue->PushAfter(Duration::zero(), [] {}).result == PushResult::kClosed ? 1 : 0;
    CHECK_FALSE(queue->Cancel(JobId()));
    CHECK(queue->Stats().run == 0);
    queue->Close(StopMode::kDrop);
  };
  REQUIRE(queue->Push(AtEnd(use)) == PushResult::kQueued);
  REQUIRE(queue->PushAfter(milliseconds(1), AtEnd(use)).result == PushResult::kQueued);
  REQUIRE(queue->PushAfter(Duration::zero(), AtEnd(use)).result == PushResult::kQueued);
  CHECK(pool.executor->RingOne());
  queue->Close(StopMode::kDrop);
  pool.RunAll();
  CHECK(refused == 6);
  CHECK(queue->IsClosed());

  const JobQueueRef other = pool.MakeQueue();
  const auto push_again = [&] { CHECK(other->Push([] {}) == PushResult::kQueued); };
  const TimedPush push = other->PushAfter(milliseconds(1), AtEnd(push_again));
  CHECK(other->Cancel(push.id));
  pool.RunAll();
  CHECK(other->Stats().run == 1);
}

TEST_CASE("a queue that nobody holds lives as long as jobs wait in it, timed ones too",
          "[job_queue]") {
  const ManualPool pool;
  int runs = 0;
  std::weak_ptr<JobQueue> weak;
  {
    const JobQueueRef queue = pool.MakeQueue();
    weak = queue;
    REQUIRE(queue->Push([&] { ++runs; }) == PushResult::kQueued);
    REQUIRE(queue->PushAfter(milliseconds(10), [&] { ++runs; }).result == PushResult::kQueued);
  }
  CHECK_FALSE(weak.expired());
  pool.RunAll();
  CHECK(runs == 1);
  CHECK_FALSE(weak.expired());
  pool.Advance(milliseconds(10));
  pool.RunAll();
  CHECK(runs == 2);
  CHECK(weak.expired());
}

TEST_CASE("a queue whose last timed job is cancelled is let go", "[job_queue][timed]") {
  const ManualPool pool;
  std::weak_ptr<JobQueue> weak;
  {
    const JobQueueRef queue = pool.MakeQueue();
    weak = queue;
    const JobId first = queue->PushAfter(milliseconds(10), [] {}).id;
    const JobId second = queue->PushAfter(milliseconds(20), [] {}).id;
    CHECK(queue->Cancel(first));
    CHECK(queue->Cancel(second));
  }
  CHECK(weak.expired());
}

TEST_CASE("an executor that stops closes its queues, and those that are made later are closed",
          "[job_queue]") {
  const ManualPool pool;
  const StopMode mode = GENERATE(StopMode::kDrain, StopMode::kDrop);
  const JobQueueRef idle = pool.MakeQueue();
  const JobQueueRef waiting = pool.MakeQueue();
  const JobQueueRef timed = pool.MakeQueue();
  int runs = 0;
  REQUIRE(waiting->Push([&] { ++runs; }) == PushResult::kQueued);
  REQUIRE(timed->PushAfter(milliseconds(1), [&] { ++runs; }).result == PushResult::kQueued);
  pool.executor->Stop(mode);
  CHECK(idle->IsClosed());
  CHECK(timed->IsClosed());
  CHECK(waiting->Push([] {}) == PushResult::kClosed);
  CHECK_FALSE(pool.executor->IsOver());
  const JobQueueRef late = pool.MakeQueue();
  CHECK(late->IsClosed());
  CHECK(late->Push([] {}) == PushResult::kClosed);
  pool.RunAll();
  CHECK(pool.executor->IsOver());
  CHECK(waiting->IsClosed());
  CHECK(runs == (mode == StopMode::kDrain ? 1 : 0));
}

TEST_CASE("an executor's drop cuts its drain short", "[job_queue]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue();
  int runs = 0;
  for (int i = 0; i < 3; ++i) REQUIRE(queue->Push([&] { ++runs; }) == PushResult::kQueued);
  pool.executor->Stop(StopMode::kDrain);
  pool.executor->RunStep(0, 1);
  pool.executor->Stop(StopMode::kDrop);
  pool.executor->Stop(StopMode::kDrain);
  pool.RunAll();
  CHECK(runs == 1);
  CHECK(queue->Stats().dropped == 2);
  CHECK(pool.executor->IsOver());
}

TEST_CASE("the counters of a queue add up", "[job_queue]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue(6);
  REQUIRE(queue->Push([] {}) == PushResult::kQueued);
  REQUIRE(queue->Push([] { throw 1; }) == PushResult::kQueued);
  pool.RunAll();
  REQUIRE(queue->Push([] {}) == PushResult::kQueued);
  const JobId id = queue->PushAfter(milliseconds(1), [] {}).id;
  REQUIRE(queue->PushAfter(milliseconds(1), [] {}).result == PushResult::kQueued);
  CHECK(queue->Cancel(id));
  const JobQueueStats stats = queue->Stats();
  CHECK(stats.pushed == 5);
  CHECK(stats.run == 2);
  CHECK(stats.thrown == 1);
  CHECK(stats.cancelled == 1);
  CHECK(stats.waiting == 2);
  CHECK(stats.timed == 1);
  queue->Close(StopMode::kDrop);
  pool.RunAll();
  CHECK(queue->Stats().dropped == 2);
  CHECK(queue->Stats().waiting == 0);
  CHECK(queue->Stats().pushed == 5);
}

TEST_CASE("a warm queue allocates nothing for a job, timed or not", "[job_queue]") {
  const ManualPool pool;
  const JobQueueRef queue = pool.MakeQueue();
  std::size_t runs = 0;
  bool pushed = true;
  const std::array<std::byte, 40> captured{};
  const auto burst = [&] {
    for (int i = 0; i < 300; ++i) {
      pushed =
          queue->Push([&runs, captured] { runs += captured.size() / 40; }) == PushResult::kQueued &&
          pushed;
      const TimedPush push = queue->PushAfter(milliseconds(i % 7), [&runs] { ++runs; });
      pushed = push.result == PushResult::kQueued && pushed;
      if (i % 3 == 0) pushed = queue->Cancel(push.id) && pushed;
    }
    pool.Advance(milliseconds(10));
    pool.RunAll();
  };
  burst();
  const std::size_t before = allocation_count;
  REQUIRE(before > 0);
  for (int round = 0; round < 100; ++round) burst();
  const std::size_t allocated = allocation_count - before;
  CHECK(allocated == 0);
  CHECK(pushed);
  CHECK(runs == 101 * 500);
}

}  // namespace
}  // namespace netcore::test
