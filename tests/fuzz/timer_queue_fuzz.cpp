// TimerQueue under any order of arming, moving, cancelling, destroying and firing, also from inside
// a timer, against a list that is searched from end to end.
#include <algorithm>
#include <array>
#include <chrono>
#include <memory>

#include "netcore/base/timer_queue.h"
#include "tests/fuzz/fuzz_support.h"

namespace netcore {
namespace {

class TimerQueueRun {
 public:
  explicit TimerQueueRun(fuzz::Decisions decisions) : decisions_(decisions) {
    for (std::size_t i = 0; i < kTimers; ++i) MakeTimer(i);
  }

  void Run() {
    while (!decisions_.Empty()) {
      if (decisions_.Below(4) == 0) {
        Fire();
      } else {
        Change();
      }
      Check();
    }
  }

 private:
  static constexpr std::size_t kTimers = 24;

  class FuzzTimer final : public Timer {
   public:
    FuzzTimer(TimerQueueRun& run, std::size_t index) noexcept : run_(run), index_(index) {}
    ~FuzzTimer() = default;

   private:
    void OnTimer(TimePoint now) noexcept override { run_.OnTimer(index_, now); }

    TimerQueueRun& run_;
    std::size_t index_;
  };

  struct Expected {
    TimePoint deadline = kNever;
    bool postponed = false;  // armed inside a FireDue for its time or earlier
  };

  void MakeTimer(std::size_t index) {
    timers_[index] = std::make_unique<FuzzTimer>(*this, index);
    expected_[index] = {};
  }

  // Times are few, so that many are equal.
  void Change() {
    const std::size_t index = decisions_.Below(kTimers);
    switch (decisions_.Below(8)) {
      case 0:
        queue_.Cancel(*timers_[index]);
        expected_[index] = {};
        return;
      case 1:
        return MakeTimer(index);  // destroys the one that was there, armed or not
      case 2:
        return Arm(index, kNever);
      default:
        return Arm(index, now_ + std::chrono::milliseconds(decisions_.Byte()) -
                              std::chrono::milliseconds(16));
    }
  }

  void Arm(std::size_t index, TimePoint deadline) {
    queue_.Arm(*timers_[index], deadline);
    expected_[index] = {deadline, firing_ && deadline <= now_};
  }

  void Fire() {
    now_ += std::chrono::milliseconds(decisions_.Below(64));
    firing_ = true;
    fired_ = 0;
    const std::size_t fired = queue_.FireDue(now_);
    firing_ = false;
    FUZZ_REQUIRE(fired == fired_);
    for (Expected& timer : expected_) {
      FUZZ_REQUIRE(timer.postponed || timer.deadline > now_);  // nobody due was left out
      timer.postponed = false;
    }
  }

  void OnTimer(std::size_t index, TimePoint now) {
    const Expected due = expected_[index];
    FUZZ_REQUIRE(firing_ && now == now_);
    FUZZ_REQUIRE(due.deadline <= now && !due.postponed);
    for (const Expected& other : expected_)
      FUZZ_REQUIRE(other.postponed || other.deadline >= due.deadline);
    FUZZ_REQUIRE(!timers_[index]->IsArmed());
    expected_[index] = {};
    ++fired_;
    for (std::size_t changes = decisions_.Below(4); changes > 0; --changes) Change();
    Check();
  }

  void Check() const {
    std::size_t armed = 0;
    TimePoint earliest = kNever;
    for (std::size_t i = 0; i < kTimers; ++i) {
      FUZZ_REQUIRE(timers_[i]->Deadline() == expected_[i].deadline);
      FUZZ_REQUIRE(timers_[i]->IsArmed() == (expected_[i].deadline != kNever));
      if (timers_[i]->IsArmed()) ++armed;
      earliest = std::min(earliest, expected_[i].deadline);
    }
    FUZZ_REQUIRE(queue_.Count() == armed);
    FUZZ_REQUIRE(queue_.NextDeadline() <= earliest);
    FUZZ_REQUIRE((queue_.NextDeadline() == kNever) == (armed == 0));
  }

  fuzz::Decisions decisions_;
  TimerQueue queue_;
  std::array<std::unique_ptr<FuzzTimer>, kTimers> timers_;
  std::array<Expected, kTimers> expected_;
  TimePoint now_ = TimePoint() + std::chrono::hours(1);
  bool firing_ = false;
  std::size_t fired_ = 0;
};

}  // namespace
}  // namespace netcore

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  netcore::TimerQueueRun(netcore::fuzz::Decisions({data, size})).Run();
  return 0;
}
