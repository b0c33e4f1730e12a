// JobQueue on an executor without threads, under any order of pushes, timed pushes, cancels, steps
// and closes, also from inside a job, against lists of numbers. One thread: what several do at once
// is for the tests under ThreadSanitizer.
#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "netcore/logic/job_queue.h"
#include "netcore/sim/memory_net.h"
#include "netcore/sim/sim_executor.h"
#include "tests/fuzz/fuzz_support.h"

namespace netcore {
namespace {

class JobQueueRun {
 public:
  explicit JobQueueRun(fuzz::Decisions decisions) : decisions_(decisions) {
    JobQueueOptions options;
    options.max_jobs = max_jobs_ = 1 + decisions_.Below(12);
    queue_ = JobQueue::Create(executor_, options);
  }

  void Run() {
    while (!decisions_.Empty()) {
      switch (decisions_.Below(8)) {
        case 0:
          net_->Advance(std::chrono::milliseconds(decisions_.Below(4)));
          break;
        case 1:
          Ring();
          break;
        case 2:
          RingSlowly();
          break;
        case 3:
          Step(1 + decisions_.Below(4));
          break;
        default:
          Act();
      }
      CheckFigures();
    }
    Finish();
  }

 private:
  enum class Place { kTimed, kQueued, kShell, kOver };  // a shell was cancelled when it was due

  struct Entry {
    TimePoint due{};
    Place place = Place::kOver;
    JobId id{};
  };

  // Small ones live inside a Task, large ones on the heap.
  template <std::size_t kPadding>
  class Job {
   public:
    Job(JobQueueRun& run, std::size_t number) noexcept : run_(&run), number_(number) {
      ++run.alive_jobs_;
    }
    Job(Job&& other) noexcept
        : run_(std::exchange(other.run_, nullptr)), number_(other.number_), ran_(other.ran_) {}
    ~Job() {
      if (run_ == nullptr) return;
      --run_->alive_jobs_;
      if (!ran_) run_->Destroyed(number_);
    }
    void operator()() {
      ran_ = true;
      run_->Begun(number_);
    }

   private:
    JobQueueRun* run_;
    std::size_t number_;
    bool ran_ = false;
    std::array<char, kPadding> padding_{};
  };

  // What anybody may do, also a job.
  void Act() {
    switch (decisions_.Below(8)) {
      case 0:
        if (decisions_.Byte() >= 0xe0) Close(StopMode::kDrain);
        break;
      case 1:
        if (decisions_.Byte() >= 0xf0) Close(StopMode::kDrop);
        break;
      case 2:
      case 3:
        PushAfter(std::chrono::milliseconds(decisions_.Below(5)));
        break;
      case 4:
        Cancel();
        break;
      default:
        Push();
    }
  }

  std::size_t Add() {
    entries_.emplace_back();
    return entries_.size() - 1;
  }

  PushResult Expected() const {
    if (closing_) return PushResult::kClosed;
    return Waiting() < max_jobs_ ? PushResult::kQueued : PushResult::kFull;
  }

  void Push() {
    const std::size_t number = Add();
    const PushResult expected = Expected();
    const PushResult result = number % 2 == 0 ? queue_->Push(Job<1>(*this, number))
                                              : queue_->Push(Job<100>(*this, number));
    FUZZ_REQUIRE(result == expected);
    if (result != PushResult::kQueued) return;
    entries_[number].place = Place::kQueued;
    fifo_.push_back(number);
  }

  void PushAfter(Duration delay) {
    const std::size_t number = Add();
    const PushResult expected = Expected();
    const TimedPush push = queue_->PushAfter(delay, Job<1>(*this, number));
    FUZZ_REQUIRE(push.result == expected);
    if (push.result != PushResult::kQueued) return;
    entries_[number] = {net_->Now() + delay, Place::kTimed, push.id};
    timed_.push_back(number);
  }

  // Any of those that were timed once: that is over for most of them.
  void Cancel() {
    if (entries_.empty()) return;
    const std::size_t back = decisions_.Below(32);
    if (back >= entries_.size()) return;
    const std::size_t number = entries_.size() - 1 - back;
    Entry& entry = entries_[number];
    const Place place = entry.place;
    const bool timed = static_cast<bool>(entry.id);
    destroying_ = number;
    const bool cancelled = queue_->Cancel(entry.id);
    destroying_ = kNobody;
    FUZZ_REQUIRE(cancelled == (timed && (place == Place::kTimed || place == Place::kQueued)));
    if (!cancelled) return;
    if (place == Place::kTimed) {
      std::erase(timed_, number);
      entry.place = Place::kOver;
    } else {
      entry.place = Place::kShell;
    }
    ++cancelled_;
  }

  void Close(StopMode mode) {
    closing_ = true;
    if (mode == StopMode::kDrop) dropping_ = true;
    queue_->Close(mode);
    SeeIfClosed();
  }

  // One alarm rings, and the queue hears of it in the next call.
  void RingSlowly() {
    if (ringing_) {
      FUZZ_REQUIRE(executor_->RingOne());
      HaveRung();
      return;
    }
    const bool possible = executor_->NextAlarm() <= net_->Now();
    const bool rang = executor_->TakeAlarm();
    FUZZ_REQUIRE(possible || !rang);
    ringing_ = rang;
  }

  void Ring() {
    while (executor_->RingOne()) {
    }
    HaveRung();
  }

  // What is due is in the queue, in the order of the deadlines.
  void HaveRung() {
    ringing_ = false;
    if (closing_) return;
    std::vector<std::size_t> due;
    for (const std::size_t number : timed_) {
      if (entries_[number].due <= net_->Now()) due.push_back(number);
    }
    std::ranges::sort(due, {},
                      [&](std::size_t number) { return std::pair(entries_[number].due, number); });
    for (const std::size_t number : due) {
      std::erase(timed_, number);
      entries_[number].place = Place::kQueued;
      fifo_.push_back(number);
    }
  }

  void Step(std::size_t most) {
    if (executor_->ReadyCount() == 0) return;
    begun_in_step_ = 0;
    most_in_step_ = most;
    in_step_ = true;
    static_cast<void>(executor_->RunStep(0, most));
    in_step_ = false;
    FUZZ_REQUIRE(begun_in_step_ <= most);
    DropShells(most - begun_in_step_);
    SeeIfClosed();
  }

  void DropShells(std::size_t most) {
    for (; most > 0 && !fifo_.empty() && entries_[fifo_.front()].place == Place::kShell; --most) {
      entries_[fifo_.front()].place = Place::kOver;
      fifo_.pop_front();
      ++begun_in_step_;
    }
  }

  void Begun(std::size_t number) {
    FUZZ_REQUIRE(in_step_ && !in_job_ && !dropping_);
    FUZZ_REQUIRE(queue_->IsRunningHere());
    DropShells(most_in_step_ - begun_in_step_);
    FUZZ_REQUIRE(!fifo_.empty() && fifo_.front() == number);
    FUZZ_REQUIRE(net_->Now() >= entries_[number].due);
    fifo_.pop_front();
    entries_[number].place = Place::kOver;
    ++begun_in_step_;
    ++run_;
    in_job_ = true;
    for (std::size_t acts = decisions_.Below(3); acts > 0; --acts) Act();
    in_job_ = false;
    if (decisions_.Byte() != 0xff) return;
    ++thrown_;
    throw number;
  }

  // Without having run: it was refused, or cancelled, or dropped.
  void Destroyed(std::size_t number) {
    Entry& entry = entries_[number];
    if (entry.place == Place::kOver || number == destroying_) return;
    FUZZ_REQUIRE(closing_);
    FUZZ_REQUIRE(dropping_ || entry.place == Place::kTimed);
    std::erase(entry.place == Place::kTimed ? timed_ : fifo_, number);
    entry.place = Place::kOver;
    ++dropped_;
  }

  void SeeIfClosed() {
    if (!queue_->IsClosed()) return;
    FUZZ_REQUIRE(closing_ && alive_jobs_ == (in_job_ ? 1U : 0U));
    // What is left was cancelled.
    FUZZ_REQUIRE(std::ranges::all_of(
        fifo_, [&](std::size_t number) { return entries_[number].place == Place::kShell; }));
    fifo_.clear();
  }

  std::size_t Waiting() const { return fifo_.size() + timed_.size(); }

  void CheckFigures() {
    const JobQueueStats stats = queue_->Stats();
    FUZZ_REQUIRE(stats.waiting == Waiting());
    FUZZ_REQUIRE(stats.timed == (closing_ ? 0 : timed_.size()));
    FUZZ_REQUIRE(stats.run == run_ && stats.thrown == thrown_ && stats.dropped == dropped_);
    const auto shells = static_cast<std::size_t>(std::ranges::count_if(
        fifo_, [&](std::size_t number) { return entries_[number].place == Place::kShell; }));
    FUZZ_REQUIRE(stats.cancelled == cancelled_ - shells);
    FUZZ_REQUIRE(stats.pushed == stats.run + stats.dropped + stats.cancelled + stats.waiting);
    const bool has_step = !fifo_.empty() || (closing_ && !queue_->IsClosed());
    FUZZ_REQUIRE((executor_->ReadyCount() > 0) == has_step);
    FUZZ_REQUIRE(closing_ || ringing_ || timed_.empty() == (executor_->NextAlarm() == kNever));
  }

  void Finish() {
    closing_ = true;
    dropping_ = true;
    executor_->Stop(StopMode::kDrop);
    while (executor_->ReadyCount() > 0) Step(32);
    FUZZ_REQUIRE(executor_->IsOver() && queue_->IsClosed());
    Ring();  // an alarm that the queue has not heard of yet keeps it
    SeeIfClosed();
    CheckFigures();
    const std::weak_ptr<JobQueue> weak = queue_;
    queue_.reset();
    FUZZ_REQUIRE(weak.expired() && alive_jobs_ == 0);
  }

  static constexpr std::size_t kNobody = SIZE_MAX;

  fuzz::Decisions decisions_;
  std::shared_ptr<MemoryNet> net_ = std::make_shared<MemoryNet>();
  std::shared_ptr<SimExecutor> executor_ = std::make_shared<SimExecutor>(
      net_, std::make_shared<const Log>([](LogLevel, std::string_view) {}));
  JobQueueRef queue_;
  std::size_t max_jobs_ = 0;
  std::vector<Entry> entries_;  // by number
  std::deque<std::size_t> fifo_;
  std::deque<std::size_t> timed_;
  std::size_t alive_jobs_ = 0;
  std::size_t destroying_ = kNobody;  // by a cancel that runs
  std::uint64_t run_ = 0;
  std::uint64_t thrown_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t cancelled_ = 0;
  std::size_t begun_in_step_ = 0;
  std::size_t most_in_step_ = 0;
  bool in_step_ = false;
  bool in_job_ = false;
  bool closing_ = false;
  bool dropping_ = false;
  bool ringing_ = false;
};

}  // namespace
}  // namespace netcore

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  netcore::JobQueueRun(netcore::fuzz::Decisions({data, size})).Run();
  return 0;
}
