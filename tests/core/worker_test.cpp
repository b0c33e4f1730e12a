// Worker: what a round does and in what order, and how a worker ends.
#include "netcore/core/worker.h"

#include <memory>
#include <string>
#include <vector>

#include "netcore/sim/memory_factory.h"
#include "tests/support/catch.h"
#include "tests/support/scripted_port.h"

namespace netcore {
namespace {

using std::chrono::milliseconds;

struct Fixture {
  Fixture() {
    std::unique_ptr<CompletionPort> port;
    REQUIRE_FALSE(factory.MakePort(port));
    worker = std::make_unique<Worker>(0, std::move(port), std::make_shared<const Log>());
    REQUIRE_FALSE(worker->AttachThread());
  }
  MemoryFactory factory;
  std::unique_ptr<Worker> worker;
};

// Writes down what it is told, and leaves when asked to.
class Guest final : public Resident, public Timer {
 public:
  Guest(Worker& worker, std::string& trace) : worker_(worker), trace_(trace) { worker_.Add(*this); }
  ~Guest() { worker_.Remove(*this); }

  void Dispatch(IocpEvent&, IoResult&) noexcept override {}
  void Flush() noexcept override {
    trace_ += "f";
    if (flushes_again) worker_.FlushLater(*this);
    if (leaving_) worker_.Remove(*this);
  }
  void OnStop(const void* group, TimePoint deadline) noexcept override {
    ++stops;
    stop_group = group;
    was_due = deadline <= worker_.Now();
    leaving_ = true;
    worker_.FlushLater(*this);
  }
  void OnTimer(TimePoint) noexcept override { trace_ += "t"; }

  bool flushes_again = false;
  int stops = 0;
  const void* stop_group = nullptr;
  bool was_due = false;

 private:
  Worker& worker_;
  std::string& trace_;
  bool leaving_ = false;
};

TEST_CASE("a round delivers mail, then fires timers, then flushes, each once", "[worker]") {
  Fixture fixture;
  Worker& worker = *fixture.worker;
  std::string trace;
  Guest guest(worker, trace);
  worker.Timers().Arm(guest, worker.Now());
  worker.FlushLater(guest);
  worker.FlushLater(guest);
  CHECK(worker.GetInbox()->Push([&] {
    CHECK(Worker::Current() == &worker);
    trace += "m";
  }));
  CHECK(Worker::Current() == nullptr);
  CHECK(worker.Round(worker.Now() + milliseconds(10)) == 3);
  CHECK(trace == "mtf");
  CHECK(Worker::Current() == nullptr);
  CHECK(worker.Round(kNoWait) == 0);
  CHECK(trace == "mtf");
  worker.Remove(guest);
}

TEST_CASE("a round waits until the next timer and no longer", "[worker]") {
  Fixture fixture;
  Worker& worker = *fixture.worker;
  std::string trace;
  Guest guest(worker, trace);
  const TimePoint begin = worker.Now();
  worker.Timers().Arm(guest, begin + milliseconds(30));
  CHECK(worker.Round(begin + std::chrono::seconds(5)) == 1);
  CHECK(trace == "t");
  CHECK(worker.Now() == begin + milliseconds(30));
  worker.Timers().Arm(guest, begin + milliseconds(100));
  CHECK(worker.Round(begin + milliseconds(50)) == 0);
  CHECK(worker.Now() == begin + milliseconds(50));
  worker.Timers().Cancel(guest);
  worker.Remove(guest);
}

// A worker whose port's Dispatch does what the test says.
struct ScriptedFixture {
  ScriptedFixture() {
    std::unique_ptr<CompletionPort> port;
    REQUIRE_FALSE(factory.MakePort(port));
    worker = std::make_unique<Worker>(0, std::move(port), std::make_shared<const Log>());
    REQUIRE_FALSE(worker->AttachThread());
  }

  // One Dispatch that hands out `count` completions, in one of which `guest` is spoken to.
  void Script(Guest& guest, std::size_t count, bool by_another) {
    script.dispatches.push_back([this, &guest, count, by_another] {
      ++dispatched;
      if (by_another) worker->FlushLessOften();
      worker->FlushLater(guest);
      return count;
    });
  }

  test::PortScript script;
  test::ScriptedFactory factory{script};
  std::unique_ptr<Worker> worker;
  int dispatched = 0;
};

TEST_CASE("where each answers for itself, a round flushes after one dispatch", "[worker]") {
  ScriptedFixture fixture;
  std::string trace;
  Guest guest(*fixture.worker, trace);
  for (int i = 0; i < 3; ++i) fixture.Script(guest, CompletionPort::kFullDispatch, false);
  CHECK(fixture.worker->Round(kNoWait) == CompletionPort::kFullDispatch + 1);
  CHECK(trace == "f");
  CHECK(fixture.dispatched == 1);
  fixture.script.dispatches.clear();
  fixture.worker->Remove(guest);
}

TEST_CASE(
    "a round hands out what its flush has done at once, and does not sleep on what comes of it",
    "[worker]") {
  ScriptedFixture fixture;
  std::string trace;
  Guest guest(*fixture.worker, trace);
  fixture.Script(guest, 1, false);
  fixture.script.ready.push_back([&] {
    trace += "r";
    fixture.worker->FlushLater(guest);
    return 2;
  });
  CHECK(fixture.worker->Round(kNoWait) == 4);
  CHECK(trace == "fr");
  fixture.script.dispatches.push_back([] { return 0; });
  CHECK(fixture.worker->Round(kNever) == 1);
  CHECK(fixture.script.deadline == kNoWait);
  CHECK(trace == "frf");
  fixture.worker->Remove(guest);
}

TEST_CASE("who is dirty again after its flush is flushed in the next round, which does not sleep",
          "[worker]") {
  ScriptedFixture fixture;
  std::string trace;
  std::string other_trace;
  Guest guest(*fixture.worker, trace);
  Guest other(*fixture.worker, other_trace);
  guest.flushes_again = true;
  fixture.script.dispatches.push_back([&] {
    fixture.worker->FlushLater(guest);
    fixture.worker->FlushLater(other);
    return 2;
  });
  CHECK(fixture.worker->Round(kNoWait) == 4);
  CHECK(trace == "f");
  CHECK(other_trace == "f");
  for (int i = 0; i < 2; ++i) {
    fixture.script.dispatches.push_back([] { return 0; });
    CHECK(fixture.worker->Round(kNever) == 1);
    CHECK(fixture.script.deadline == kNoWait);
  }
  CHECK(trace == "fff");
  CHECK(other_trace == "f");
  fixture.worker->Remove(guest);
  fixture.worker->Remove(other);
}

TEST_CASE("where one speaks to another, a round takes all that is ready before it flushes",
          "[worker]") {
  ScriptedFixture fixture;
  std::string trace;
  Guest guest(*fixture.worker, trace);
  constexpr std::size_t kFull = CompletionPort::kFullDispatch;
  for (int i = 0; i < 3; ++i) fixture.Script(guest, kFull, i == 0);
  fixture.Script(guest, kFull - 1, false);  // no more was there
  fixture.Script(guest, kFull, true);
  CHECK(fixture.worker->Round(kNoWait) == 4 * kFull);
  CHECK(trace == "f");
  CHECK(fixture.dispatched == 4);

  // The next round makes up its own mind.
  fixture.script.dispatches.clear();
  for (int i = 0; i < 2; ++i) fixture.Script(guest, kFull, false);
  CHECK(fixture.worker->Round(kNoWait) == kFull + 1);
  CHECK(trace == "ff");
  fixture.script.dispatches.clear();
  fixture.worker->Remove(guest);
}

TEST_CASE("a round ends though there is always more to join", "[worker]") {
  ScriptedFixture fixture;
  std::string trace;
  Guest guest(*fixture.worker, trace);
  for (int i = 0; i < 1000; ++i) fixture.Script(guest, CompletionPort::kFullDispatch, true);
  bool delivered = false;
  CHECK(fixture.worker->GetInbox()->Push([&] { delivered = true; }));
  fixture.worker->Round(kNoWait);
  CHECK(delivered);
  CHECK(trace == "f");
  CHECK(fixture.dispatched < 100);
  fixture.script.dispatches.clear();
  fixture.worker->Remove(guest);
}

TEST_CASE("a stop reaches every resident of the group", "[worker]") {
  Fixture fixture;
  Worker& worker = *fixture.worker;
  std::string trace;
  Guest first(worker, trace);
  Guest second(worker, trace);
  int group = 0;
  worker.StopGroup(&group, worker.Now() + milliseconds(10));
  CHECK(first.stops == 1);
  CHECK(second.stop_group == &group);
  CHECK_FALSE(second.was_due);
  CHECK_FALSE(worker.IsEmpty());
  worker.Round(kNoWait);
  CHECK(worker.IsEmpty());
}

TEST_CASE("a shut down ends residents at once, also when time has passed since the last round",
          "[worker]") {
  Fixture fixture;
  Worker& worker = *fixture.worker;
  std::string trace;
  Guest guest(worker, trace);
  worker.Round(kNoWait);
  fixture.factory.Net()->Advance(milliseconds(500));
  bool ran = false;
  const auto inbox = worker.GetInbox();
  worker.ShutDown();
  CHECK(guest.stops == 1);
  CHECK(guest.stop_group == nullptr);
  CHECK(guest.was_due);
  CHECK_FALSE(inbox->Push([&] { ran = true; }));
  CHECK_FALSE(ran);
}

TEST_CASE(
    "mail that comes during a shut down is delivered as long as somebody lives there, and "
    "discarded after that",
    "[worker]") {
  Fixture fixture;
  Worker& worker = *fixture.worker;
  std::string trace;
  auto guest = std::make_unique<Guest>(worker, trace);
  bool first = false;
  bool second = false;
  CHECK(worker.GetInbox()->Push([&] {
    first = worker.IsStopping();
    CHECK(worker.GetInbox()->Push([&] { second = true; }));
  }));
  worker.ShutDown();
  CHECK(first);
  CHECK_FALSE(second);
}

TEST_CASE("a seat counts for as long as it is held", "[worker]") {
  Fixture fixture;
  Worker& worker = *fixture.worker;
  {
    Worker::Seat seat(worker);
    CHECK(worker.Load() == 1);
    Worker::Seat other = std::move(seat);
    CHECK(worker.Load() == 1);
    CHECK(&other.GetWorker() == &worker);
  }
  CHECK(worker.Load() == 0);
}

}  // namespace
}  // namespace netcore
