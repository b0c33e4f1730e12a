// Running all workers from one thread, and the clock.
#include "netcore/sim/sim_world.h"

#include <algorithm>
#include <bit>

#include "netcore/base/assert.h"
#include "netcore/base/duration_check.h"
#include "netcore/sim/group_check.h"
#include "netcore/sim/memory_factory.h"

namespace netcore {
namespace {

// Far more than any scenario takes: who gets here runs in circles.
constexpr std::uint64_t kMostSteps = 4'000'000;

constexpr std::uint32_t kCreepMicros = 40;
constexpr std::uint32_t kLongestJumpMicros = 1'500'000;
constexpr std::size_t kKeptLogLines = 1'000;

}  // namespace

SimWorld::SimWorld(std::uint64_t seed, SimOptions options)
    : control_(seed), options_(std::move(options)) {
  if (options_.faults) control_.faults.DrawRates();
  control_.memory = options_.memory;
  const SimOwnWork own(&control_);
  net_ = std::make_shared<MemoryNet>(&control_);
  server_core_ = MakeCore(options_.server_workers);
  client_core_ = MakeCore(options_.client_workers);
  connector_ = std::make_unique<Connector>(client_core_, options_.client);
  const Error error = CheckDurations("simulation", {{"drain_limit", options_.drain_limit}});
  if (error) Fail(error.Message());
}

SimWorld::~SimWorld() {
  if (!finished_) Finish();
}

std::shared_ptr<IocpCore> SimWorld::MakeCore(std::size_t workers) {
  CoreOptions options;
  options.threads = workers != 0 ? workers : 1 + Random().Below(3);
  options.hook_time_limit = std::chrono::milliseconds::zero();  // a watchdog would be a thread
  options.port_factory = std::make_shared<MemoryFactory>(net_);
  options.log = MakeLogSink();
  auto core = std::make_shared<IocpCore>(std::move(options));
  Drive(core);
  return core;
}

LogSink SimWorld::MakeLogSink() {
  return [this](LogLevel, std::string_view line) {
    const SimOwnWork own(&control_);
    Note(line);
    if (log_.size() < kKeptLogLines) log_.emplace_back(line);
  };
}

const std::shared_ptr<SimExecutor>& SimWorld::Logic() {
  if (logic_ != nullptr) return logic_;
  const SimOwnWork own(&control_);
  logic_threads_ = options_.logic_threads != 0 ? options_.logic_threads : 1 + Random().Below(3);
  logic_ = std::make_shared<SimExecutor>(net_, std::make_shared<const Log>(MakeLogSink()));
  logic_->SetDriver([this] { return Step(kNever); });
  return logic_;
}

void SimWorld::Drive(const std::shared_ptr<IocpCore>& core) {
  Error error = core->Open();
  if (!error) error = core->Workers()->DriveBy(*this);
  NETCORE_ASSERT(!error);
  for (std::size_t index = 0; index < core->WorkerCount(); ++index) {
    workers_.push_back({core->Workers(), index});
  }
}

Service& SimWorld::Listen(int port, SessionFactory factory, SessionOptions session,
                          std::size_t max_sessions, std::size_t accept_depth) {
  const SimOwnWork own(&control_);
  const std::size_t queue_limit = session.max_send_queue_bytes;
  auto watching = [this, queue_limit, make = std::move(factory)]() -> SessionRef {
    SessionRef made = make();
    if (made != nullptr) Watch(made, queue_limit);
    return made;
  };
  services_.push_back(std::make_unique<Service>(server_core_, std::make_shared<Listener>(port),
                                                std::move(watching), accept_depth, session,
                                                max_sessions));
  if (const Error error = services_.back()->Start()) Fail(error.Message());
  WakeAll();
  return *services_.back();
}

// The addresses have their reasons: one is short, one long, one is of another family.
Error SimWorld::Connect(int port, const SessionRef& session) {
  Endpoint peer;
  {
    const SimOwnWork own(&control_);
    Watch(session, options_.client.session.max_send_queue_bytes);
    constexpr std::array<std::string_view, 3> kAddresses = {"127.0.0.1", "127.123.231.132", "::1"};
    if (Error error = Endpoint::Parse(kAddresses[Random().Below(3)], port, peer)) return error;
  }
  WakeAll();
  return connector_->Connect(peer, session);
}

bool SimWorld::RunUntil(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const TimePoint end = Later(Now(), limit);
  while (!condition()) {
    if (HasFailed() || Now() >= end) return false;
    if (!Step(end)) return condition();
  }
  return true;
}

void SimWorld::RunUntilTime(TimePoint end) {
  while (Now() < end && !HasFailed()) {
    if (Step(end)) continue;
    if (end == kNever) return;
    net_->AdvanceTo(end);
  }
}

void SimWorld::At(TimePoint time, std::function<void()> action) {
  const SimOwnWork own(&control_);
  actions_.emplace(time, std::move(action));
}

// In microseconds, or in more of them at a time where 32 bits do not count so far.
Duration SimWorld::DrawBelow(Duration longest) noexcept {
  const auto micros = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(std::max(longest, Duration::zero()))
          .count());
  const int shift = std::max(static_cast<int>(std::bit_width(micros)) - 32, 0);
  const auto most = static_cast<std::uint32_t>(micros >> shift);
  const std::uint64_t drawn = Random().Below(most >> Random().Below(8));
  return std::chrono::microseconds(static_cast<std::int64_t>(drawn << shift));
}

void SimWorld::Note(std::string_view text) {
  const SimOwnWork own(&control_);
  control_.trace.AddNote(Now(), text);
}

void SimWorld::Fail(std::string_view why) {
  const SimOwnWork own(&control_);
  control_.trace.Fail(Now(), why);
}

void SimWorld::FailAllocation(std::uint64_t nth) noexcept {
  if (control_.memory != nullptr) control_.memory->FailNth(nth);
}

std::size_t SimWorld::LogCount(std::string_view part) const {
  return static_cast<std::size_t>(
      std::count_if(log_.begin(), log_.end(),
                    [&](const std::string& line) { return line.find(part) != std::string::npos; }));
}

void SimWorld::Watch(const SessionRef& session, std::size_t queue_limit) {
  const SimOwnWork own(&control_);
  if (session != nullptr && queue_limit != 0) watched_.push_back({session, queue_limit});
}

void SimWorld::CheckQueues() {
  std::erase_if(watched_, [this](const Watched& watched) {
    const SessionRef session = watched.session.lock();
    if (session == nullptr) return true;
    Check(session->QueuedBytes() <= watched.queue_limit, "more is queued than the bound allows");
    return false;
  });
}

void SimWorld::CheckGroups() {
  const auto check = [this](const std::shared_ptr<SessionManager>& manager) {
    if (manager == nullptr) return;
    const std::string violation = GroupCheck::Violation(*manager);
    Check(violation.empty(), violation);
  };
  for (const auto& service : services_) check(service->Sessions());
  check(connector_->Sessions());
}

void SimWorld::WakeAll() noexcept {
  for (Driven& worker : workers_) worker.quiet = false;
}

// One round of a worker or one step of a job queue, or, when none has anything to do, the clock
// moves. False when nothing can
// happen any more.
bool SimWorld::Step(TimePoint limit) {
  const SimOwnWork own(&control_);
  if (++steps_ > kMostSteps) {
    Fail("the world does not come to rest");
    return false;
  }
  if (RunActions()) WakeAll();
  const auto can_run = [](const Driven& worker) { return !worker.quiet && !worker.ended; };
  const auto count =
      static_cast<std::uint32_t>(std::count_if(workers_.begin(), workers_.end(), can_run));
  const std::uint32_t choices = count + CountLogicChoices();
  if (choices == 0) return MoveClock(limit);
  std::uint32_t pick = Random().Below(choices);
  if (pick >= count) {
    RunLogic(pick - count);
  } else {
    const auto chosen = std::find_if(workers_.begin(), workers_.end(), [&](const Driven& worker) {
      return can_run(worker) && pick-- == 0;
    });
    RunRound(*chosen);
  }
  CheckGroups();
  Creep();
  if (steps_ % 16 == 0) CheckQueues();
  return true;
}

void SimWorld::RunRound(Driven& worker) {
  control_.trace.Add(Now(), SimEvent::kRound, 0,
                     static_cast<std::uint64_t>(&worker - workers_.data()), 0);
  DispatchStatus status;
  {
    const SimForeignWork foreign(&control_);
    status = worker.set->RunRound(worker.index);
  }
  TakeFailedAllocation();
  worker.ended = status == DispatchStatus::kStopped;
  if (status == DispatchStatus::kTimedOut) {
    worker.quiet = true;
  } else {
    WakeAll();
  }
}

void SimWorld::TakeFailedAllocation() noexcept {
  if (control_.memory != nullptr && control_.memory->TakeFailed()) {
    control_.faults.Count(Fault::kNoMemory);
  }
}

// The steps that its threads might be about to take, and the clock that might ring.
std::uint32_t SimWorld::CountLogicChoices() const noexcept {
  if (logic_ == nullptr) return 0;
  const std::size_t steps = std::min(logic_->ReadyCount(), logic_threads_);
  return static_cast<std::uint32_t>(steps) + (logic_->NextAlarm() <= Now() ? 1U : 0U);
}

void SimWorld::RunLogic(std::uint32_t choice) {
  std::uint64_t number = 0;
  if (choice < std::min(logic_->ReadyCount(), logic_threads_)) {
    const std::size_t most = Random().OneIn(4) ? 32 : 1 + Random().Below(3);
    const SimForeignWork foreign(&control_);
    number = logic_->RunStep(choice, most);
  } else {
    const bool held_up = Random().OneIn(4);
    const SimForeignWork foreign(&control_);
    if (held_up) {
      logic_->TakeAlarm();
    } else {
      logic_->RingOne();
    }
  }
  control_.trace.Add(Now(), SimEvent::kLogic, 0, number, 0);
  TakeFailedAllocation();
  WakeAll();  // jobs send mail
}

bool SimWorld::RunActions() {
  bool ran = false;
  while (!actions_.empty() && actions_.begin()->first <= Now()) {
    const std::function<void()> action = std::move(actions_.begin()->second);
    actions_.erase(actions_.begin());
    action();
    ran = true;
  }
  return ran;
}

// Time passes while work is done, and connections are reset while nobody uses them.
void SimWorld::Creep() {
  if (Random().OneIn(4)) net_->Advance(std::chrono::microseconds(Random().Below(kCreepMicros)));
  if (Random().OneIn(16) && net_->SocketCount() > 0 && control_.faults.Happens(Fault::kPeerReset)) {
    net_->ResetConnection(Random().Below(static_cast<std::uint32_t>(net_->SocketCount())));
  }
  if (net_->ReadyCount() > 0) WakeAll();
}

TimePoint SimWorld::NextTime() {
  TimePoint next = net_->NextStep();
  if (!actions_.empty()) next = std::min(next, actions_.begin()->first);
  if (logic_ != nullptr) next = std::min(next, logic_->NextAlarm());
  for (const Driven& worker : workers_) {
    if (worker.ended) continue;
    next = std::min(next, worker.set->At(worker.index).Timers().NextDeadline());
  }
  return next;
}

bool SimWorld::MoveClock(TimePoint limit) {
  WakeAll();
  if (net_->ReadyCount() > 0 &&
      std::any_of(workers_.begin(), workers_.end(), [](const Driven& w) { return !w.ended; })) {
    return true;
  }
  TimePoint next = NextTime();
  if (next == kNever) return false;
  if (control_.faults.Happens(Fault::kClockJump)) {
    next = Later(next, std::chrono::microseconds(Random().Below(kLongestJumpMicros)));
  }
  net_->AdvanceTo(std::min(next, limit));
  control_.trace.Add(Now(), SimEvent::kClock, 0, 0, 0);
  return true;
}

// For WaitStopped, which must not be woken by a clock of its own.
DispatchStatus SimWorld::Dispatch(std::chrono::milliseconds timeout) {
  const TimePoint end = Later(Now(), timeout);
  if (Step(end)) return DispatchStatus::kHandled;
  if (end != kNever) net_->AdvanceTo(end);
  return DispatchStatus::kTimedOut;
}

void SimWorld::CheckIsEmpty(const std::shared_ptr<SessionManager>& manager) {
  if (manager == nullptr) return;
  Check(manager->Count() == 0, "a session is found after everything ended");
  Check(manager->GroupCount() == 0, "a group is left without members");
}

bool SimWorld::RunToRest(std::chrono::milliseconds limit) {
  const TimePoint end = limit > limit.zero() ? Later(Now(), limit) : kNever;
  while (Now() < end && steps_ <= kMostSteps) {
    if (!Step(end)) return true;
  }
  return false;
}

void SimWorld::Finish() {
  const SimOwnWork own(&control_);
  finished_ = true;
  control_.faults.Stop();
  if (control_.memory != nullptr) control_.memory->Disarm();
  actions_.clear();
  constexpr std::chrono::milliseconds kDeadline{5'000};
  for (const auto& service : services_) service->Stop(kDeadline);
  connector_->Stop(kDeadline);
  WakeAll();
  if (logic_ != nullptr) {
    RunFor(kDeadline + std::chrono::seconds(1));  // the last hooks still push
    StopLogic();
  }
  Check(RunToRest(options_.drain_limit), "not everything ended in time after the faults stopped");
  for (const auto& service : services_) {
    Check(service->WaitStopped().complete, "a stopped service did not end");
    Check(service->Stats().sessions == 0, "a stopped service counts sessions");
    CheckIsEmpty(service->Sessions());
  }
  Check(connector_->WaitStopped().complete, "a stopped connector did not end");
  Check(connector_->Stats().sessions == 0, "a stopped connector counts sessions");
  CheckIsEmpty(connector_->Sessions());
  CheckQueues();
  for (const Driven& worker : workers_) {
    if (worker.ended) continue;
    Check(worker.set->At(worker.index).Timers().Count() == 0, "a timer is left on a worker");
    Check(worker.set->At(worker.index).Load() == 0, "a seat is left on a worker");
  }
  StopCores();
  CheckNothingLeft();
}

void SimWorld::StopLogic() {
  logic_->Stop(StopMode::kDrain);
  Check(RunToRest(options_.drain_limit), "the job queues do not come to their end");
  Check(logic_->IsOver(), "a job queue is not closed after the stop");
  Check(logic_->ReadyCount() == 0 && logic_->NextAlarm() == kNever, "a job queue is left over");
  logic_->SetDriver({});
}

void SimWorld::StopCores() {
  server_core_->Stop();
  client_core_->Stop();
  for (Driven& worker : workers_) {
    if (!worker.ended) RunRound(worker);
  }
}

void SimWorld::CheckNothingLeft() {
  Check(net_->SocketCount() == 0, "a socket is left in the net");
  Check(net_->ReadyCount() == 0 && net_->NextStep() == kNever, "something waits in the net");
  Check(control_.trace.SubmitCount() == control_.trace.FinalCount(),
        "not every submission completed once");
}

}  // namespace netcore
