// TimerQueue with 100,000 timers in it: arming, moving, firing.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "netcore/base/timer_queue.h"

namespace netcore {
namespace {

constexpr std::size_t kTimers = 100'000;
constexpr std::int64_t kSpan = 60'000'000'000;  // deadlines lie within a minute

class PlainTimer final : public Timer {
  void OnTimer(TimePoint) noexcept override {}
};

// The same deadlines in every run, in no order.
class Deadlines {
 public:
  TimePoint Next() { return TimePoint(Duration(1 + static_cast<std::int64_t>(random_() % kSpan))); }

 private:
  std::mt19937_64 random_{20240711};
};

/// Timers and their queue, which all of them are armed in.
class FullQueue {
 public:
  FullQueue() : timers(kTimers) { ArmAll(); }
  ~FullQueue() { CancelAll(); }

  void ArmAll() {
    for (PlainTimer& timer : timers) queue.Arm(timer, deadlines.Next());
  }
  void CancelAll() {
    for (PlainTimer& timer : timers) queue.Cancel(timer);
  }
  PlainTimer& NextTimer() {
    next_ = next_ + 1 < kTimers ? next_ + 1 : 0;
    return timers[next_];
  }

  TimerQueue queue;  // before the timers: destroyed after them
  std::vector<PlainTimer> timers;
  Deadlines deadlines;

 private:
  std::size_t next_ = 0;
};

// From an empty queue to a full one; the time is one timer's.
void Arm(benchmark::State& state) {
  FullQueue full;
  for (auto _ : state) {
    state.PauseTiming();
    full.CancelAll();
    state.ResumeTiming();
    full.ArmAll();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kTimers));
}
BENCHMARK(Arm)->Unit(benchmark::kMillisecond);

// One more that comes and goes beside the others.
void ArmAndCancelBesideOthers(benchmark::State& state) {
  FullQueue full;
  PlainTimer timer;
  for (auto _ : state) {
    full.queue.Arm(timer, full.deadlines.Next());
    full.queue.Cancel(timer);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ArmAndCancelBesideOthers);

// What a session does with each message: an idle deadline moves on.
void MoveLater(benchmark::State& state) {
  FullQueue full;
  Duration later(kSpan);
  for (auto _ : state) full.queue.Arm(full.NextTimer(), TimePoint(++later));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(MoveLater);

void MoveAnywhere(benchmark::State& state) {
  FullQueue full;
  for (auto _ : state) full.queue.Arm(full.NextTimer(), full.deadlines.Next());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(MoveAnywhere);

// All of them, when all deadlines have passed.
void FireAll(benchmark::State& state) {
  FullQueue full;
  const TimePoint end(Duration(kSpan + 1));
  for (auto _ : state) {
    std::size_t fired = full.queue.FireDue(end);
    benchmark::DoNotOptimize(fired);
    state.PauseTiming();
    full.ArmAll();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kTimers));
}
BENCHMARK(FireAll)->Unit(benchmark::kMillisecond);

// The same after every deadline was moved later once: the queue finds out as the old ones come.
void FireAllThatWereMoved(benchmark::State& state) {
  FullQueue full;
  const TimePoint end(Duration(3 * kSpan));
  const auto move_all = [&] {
    for (PlainTimer& timer : full.timers) full.queue.Arm(timer, timer.Deadline() + Duration(kSpan));
  };
  move_all();
  for (auto _ : state) {
    std::size_t fired = full.queue.FireDue(end);
    benchmark::DoNotOptimize(fired);
    state.PauseTiming();
    full.ArmAll();
    move_all();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kTimers));
}
BENCHMARK(FireAllThatWereMoved)->Unit(benchmark::kMillisecond);

// A round in which nothing is due.
void LookWhenNothingIsDue(benchmark::State& state) {
  FullQueue full;
  for (auto _ : state) {
    TimePoint next = full.queue.NextDeadline();
    std::size_t fired = full.queue.FireDue(TimePoint());
    benchmark::DoNotOptimize(next);
    benchmark::DoNotOptimize(fired);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(LookWhenNothingIsDue);

}  // namespace
}  // namespace netcore
