// For tests of the logic layer: a queue's steps driven by the test itself, in a time of its own;
// and what tests with real threads need.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "netcore/logic/job_queue.h"
#include "netcore/sim/memory_net.h"
#include "netcore/sim/sim_executor.h"
#include "tests/support/fate.h"
#include "tests/support/limits.h"
#include "tests/support/log_lines.h"

namespace netcore::test {

using std::chrono::milliseconds;

inline constexpr std::chrono::seconds kLimit = kWaitLimit;  // for what must happen

/// An executor without threads.
struct ManualPool {
  JobQueueRef MakeQueue(std::size_t max_jobs = 1'000, std::string name = "room") const {
    JobQueueOptions options;
    options.max_jobs = max_jobs;
    options.name = std::move(name);
    return JobQueue::Create(executor, std::move(options));
  }

  /// Steps and alarms, first come, first served, until there is nothing to do now.
  void RunAll(std::size_t most = 32) const {
    while (executor->RingOne() || executor->ReadyCount() > 0) {
      if (executor->ReadyCount() > 0) executor->RunStep(0, most);
    }
  }

  template <typename Rep, typename Period>
  void Advance(std::chrono::duration<Rep, Period> by) const {
    net->Advance(by);
  }

  LogLines log;
  std::shared_ptr<MemoryNet> net = std::make_shared<MemoryNet>();
  std::shared_ptr<SimExecutor> executor =
      std::make_shared<SimExecutor>(net, std::make_shared<const Log>(log.Sink()));
};

/// Calls `action` when it is destroyed, once.
template <typename Action>
class AtEnd {
 public:
  explicit AtEnd(Action action) : action_(std::move(action)) {}
  AtEnd(AtEnd&& other) noexcept
      : action_(std::move(other.action_)), armed_(std::exchange(other.armed_, false)) {}
  AtEnd& operator=(AtEnd&&) = delete;
  ~AtEnd() {
    if (armed_) action_();
  }
  void operator()() {}

 private:
  Action action_;
  bool armed_ = true;
};

/// False if `condition` does not come to hold.
template <typename Condition>
bool Eventually(Condition&& condition) {
  const auto give_up = std::chrono::steady_clock::now() + kLimit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  return true;
}

}  // namespace netcore::test
