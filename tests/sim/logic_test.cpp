// Job queues in a simulation: virtual time, orders that the seed decides, and an end that comes.
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "netcore/logic/job_queue.h"
#include "netcore/sim/simulate.h"
#include "tests/sim/scenario_parts.h"
#include "tests/support/catch.h"

namespace netcore::test {
namespace {

SimReport RunOrdered(std::uint64_t seed, const std::function<void(SimWorld&)>& scenario) {
  SimOptions options;
  options.faults = false;
  return Simulate(seed, scenario, options);
}

TEST_CASE("timed jobs of a simulation run in virtual time", "[sim][logic]") {
  const SimReport report = RunOrdered(3, [](SimWorld& world) {
    const JobQueueRef queue = JobQueue::Create(world.Logic());
    const TimePoint due = world.Now() + std::chrono::hours(5);
    TimePoint ran{};
    CHECK(queue->PushAfter(std::chrono::hours(5), [&] { ran = world.Now(); }).result ==
          PushResult::kQueued);
    CHECK(world.RunUntil([&] { return ran != TimePoint(); }, std::chrono::hours(6)));
    CHECK(ran >= due);
    CHECK(ran < due + std::chrono::seconds(1));
  });
  CHECK(report.Text() == "seed 3: all rules held\n");
}

TEST_CASE("the seed decides how steps of job queues lie between each other", "[sim][logic]") {
  std::set<std::string> orders;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    std::string order;
    std::string again;
    const auto scenario = [](std::string& trace) {
      return [&trace](SimWorld& world) {
        for (char name = 'a'; name <= 'c'; ++name) {
          const JobQueueRef queue = JobQueue::Create(world.Logic());
          for (int i = 0; i < 4; ++i) {
            CHECK(queue->Push([&trace, name] { trace += name; }) == PushResult::kQueued);
          }
        }
        CHECK(world.RunUntil([&] { return trace.size() == 12; }));
      };
    };
    const SimReport report = RunOrdered(seed, scenario(order));
    CHECK(report.Ok());
    CHECK(RunOrdered(seed, scenario(again)).hash == report.hash);
    CHECK(order == again);
    orders.insert(order);
  }
  CHECK(orders.size() > 10);
}

TEST_CASE("what the last hooks push is run before a simulation ends", "[sim][logic]") {
  class Leaves final : public Session {
   public:
    Leaves(JobQueueRef queue, int& left) : queue_(std::move(queue)), left_(left) {}

   private:
    void OnDisconnected(const CloseInfo&) override {
      CHECK(queue_->Push([&left = left_] { ++left; }) == PushResult::kQueued);
    }
    const JobQueueRef queue_;
    int& left_;
  };
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    int left = 0;
    JobQueueRef queue;
    const SimReport report = RunOrdered(seed, [&](SimWorld& world) {
      queue = JobQueue::Create(world.Logic());
      world.Listen(kPort, [&] { return std::make_shared<Leaves>(queue, left); });
      for (int i = 0; i < 5; ++i) world.Connect(kPort, std::make_shared<Leaves>(queue, left));
      world.RunFor(std::chrono::seconds(1));
      CHECK(left == 0);
    });
    CHECK(report.Text() == "seed " + std::to_string(seed) + ": all rules held\n");
    CHECK(left == 10);
    CHECK(queue->IsClosed());
    CHECK(queue->Push([] {}) == PushResult::kClosed);
  }
}

TEST_CASE("a job that pushes itself again for ever does not keep a simulation from its end",
          "[sim][logic]") {
  std::uint64_t ticks = 0;
  struct Tick {
    void operator()() const {
      ++*ticks;
      static_cast<void>(queue->PushAfter(std::chrono::milliseconds(50), Tick{queue, ticks}));
    }
    JobQueueRef queue;  // which holds this job, which holds it: a close ends that
    std::uint64_t* ticks;
  };
  std::weak_ptr<JobQueue> weak;
  const SimReport report = RunOrdered(4, [&](SimWorld& world) {
    const JobQueueRef queue = JobQueue::Create(world.Logic());
    weak = queue;
    CHECK(queue->Push(Tick{queue, &ticks}) == PushResult::kQueued);
    world.RunFor(std::chrono::seconds(1));
  });
  CHECK(report.Text() == "seed 4: all rules held\n");
  CHECK(ticks >= 20);
  CHECK(weak.expired());
}

TEST_CASE("a wait for a queue's end lets a simulation go on", "[sim][logic]") {
  const SimReport report = RunOrdered(6, [](SimWorld& world) {
    const JobQueueRef queue = JobQueue::Create(world.Logic());
    int runs = 0;
    for (int i = 0; i < 100; ++i) CHECK(queue->Push([&] { ++runs; }) == PushResult::kQueued);
    queue->Close(StopMode::kDrain);
    queue->WaitClosed();
    CHECK(runs == 100);
  });
  CHECK(report.Text() == "seed 6: all rules held\n");
}

}  // namespace
}  // namespace netcore::test
