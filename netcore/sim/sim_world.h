// SimWorld: servers and clients inside one process, on one thread, in virtual time, with all that
// is left to chance drawn from one seed. Everything above the seam is the real thing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "netcore/base/clock.h"
#include "netcore/base/error.h"
#include "netcore/core/iocp_core.h"
#include "netcore/core/worker_set.h"
#include "netcore/service/connector.h"
#include "netcore/service/service.h"
#include "netcore/session/session.h"
#include "netcore/sim/memory_net.h"
#include "netcore/sim/sim_control.h"
#include "netcore/sim/sim_executor.h"

namespace netcore {

struct SimOptions {
  /// Workers of each core. 0: from 1 to 3, drawn from the seed.
  std::size_t server_workers = 0;
  std::size_t client_workers = 0;

  /// Threads of the logic executor. 0: from 1 to 3, drawn when it is first asked for.
  std::size_t logic_threads = 0;

  /// Whether anything goes wrong. The order of things and the clock are drawn in any case.
  bool faults = true;

  /// Of SimWorld::Connect.
  ConnectorOptions client{};

  /// How long, in virtual time, everything may take to end once the faults have stopped. With zero
  /// or kForever: as long as there is something to do. A negative one fails the run.
  std::chrono::milliseconds drain_limit{60'000};

  /// Makes allocations fail, if the program can.
  SimMemory* memory = nullptr;
};

/// Servers listen on one IocpCore, clients connect from another; each worker's rounds, and the
/// steps of job queues between them, are run in an order drawn from the seed. What is called
/// outside hooks is as if called from a thread that is no worker's.
///
/// Owns: the net, both cores, the logic executor, services and connectors. Lifetime: Simulate's;
/// sessions may outlive it. Threads: one.
class SimWorld final : private WorkerDriver {
 public:
  explicit SimWorld(std::uint64_t seed, SimOptions options = {});
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  /// Ends what Finish has not.
  ~SimWorld();

  /// A server on `port`, started. The world keeps it.
  Service& Listen(int port, SessionFactory factory, SessionOptions session = {},
                  std::size_t max_sessions = 10'000, std::size_t accept_depth = 8);

  /// Begins to connect to `port`, as Connector::Connect does. Also from inside a hook.
  Error Connect(int port, const SessionRef& session);

  /// What job queues run on, in place of a LogicPool: JobQueue::Create(world.Logic()). Finish stops
  /// it, with a drain, when the sessions have ended.
  const std::shared_ptr<SimExecutor>& Logic();

  /// Runs everything until `condition` holds, at most for `limit` in virtual time. False if it does
  /// not hold then, and as soon as a rule is broken. A limit of zero or less: it must hold now.
  /// kForever: as long as there is something to do. Not from inside a hook.
  bool RunUntil(const std::function<bool()>& condition,
                std::chrono::milliseconds limit = std::chrono::minutes(1));

  /// Runs everything for `time`, virtual: not at all if that is zero or negative, and if it is
  /// kForever, until there is nothing to do any more. Not from inside a hook.
  template <typename Rep, typename Period>
  void RunFor(std::chrono::duration<Rep, Period> time) {
    RunUntilTime(Later(Now(), time));
  }

  /// Calls `action` after `delay`, outside of any hook: next if `delay` is zero or negative, never
  /// if it is kForever.
  template <typename Rep, typename Period>
  void After(std::chrono::duration<Rep, Period> delay, std::function<void()> action) {
    At(Later(Now(), delay), std::move(action));
  }

  /// The seed's numbers: use them for all that a scenario leaves to chance.
  SimRandom& Random() noexcept { return control_.random; }
  FaultPlan& Faults() noexcept { return control_.faults; }

  /// Returns a time that is drawn, mostly short, in whole microseconds: less than `longest`, zero
  /// if that is zero or negative.
  template <typename Rep, typename Period>
  Duration DrawTime(std::chrono::duration<Rep, Period> longest) noexcept {
    return DrawBelow(ToDuration(longest));
  }

  TimePoint Now() const noexcept { return net_->Now(); }

  /// Adds a line to the trace.
  void Note(std::string_view text);

  /// Ends the run as failed; the first reason counts.
  void Fail(std::string_view why);
  void Check(bool holds, std::string_view why) {
    if (!holds) Fail(why);
  }
  bool HasFailed() const noexcept { return !control_.trace.Failure().empty(); }

  /// Makes the `nth` allocation from now on fail, if SimOptions::memory can.
  void FailAllocation(std::uint64_t nth) noexcept;

  const std::shared_ptr<IocpCore>& ServerCore() const noexcept { return server_core_; }
  const std::shared_ptr<IocpCore>& ClientCore() const noexcept { return client_core_; }
  Connector& Clients() noexcept { return *connector_; }
  const std::shared_ptr<MemoryNet>& Net() const noexcept { return net_; }
  const SimTrace& Trace() const noexcept { return control_.trace; }

  /// Lines of the library's log that contain `part`.
  std::size_t LogCount(std::string_view part) const;

  /// The faults stop, services and connectors are stopped, everything must end and every counter
  /// return to zero. Once; nothing but reading is possible afterwards.
  void Finish();

 private:
  struct Driven {
    std::shared_ptr<WorkerSet> set;
    std::size_t index = 0;
    bool quiet = false;  // had nothing to do since anything happened
    bool ended = false;
  };

  struct Watched {
    std::weak_ptr<Session> session;
    std::size_t queue_limit;
  };

  DispatchStatus Dispatch(std::chrono::milliseconds timeout) override;
  void RunUntilTime(TimePoint end);
  void At(TimePoint time, std::function<void()> action);
  Duration DrawBelow(Duration longest) noexcept;

  std::shared_ptr<IocpCore> MakeCore(std::size_t workers);
  LogSink MakeLogSink();
  void Drive(const std::shared_ptr<IocpCore>& core);
  bool Step(TimePoint limit);
  void RunRound(Driven& worker);
  std::uint32_t CountLogicChoices() const noexcept;
  void RunLogic(std::uint32_t choice);
  void StopLogic();
  void TakeFailedAllocation() noexcept;
  bool RunActions();
  bool MoveClock(TimePoint limit);
  TimePoint NextTime();
  void Creep();
  void WakeAll() noexcept;
  void Watch(const SessionRef& session, std::size_t queue_limit);
  void CheckQueues();
  void CheckGroups();
  void CheckIsEmpty(const std::shared_ptr<SessionManager>& manager);
  bool RunToRest(std::chrono::milliseconds limit);
  void StopCores();
  void CheckNothingLeft();

  SimControl control_;
  const SimOptions options_;
  std::shared_ptr<MemoryNet> net_;
  std::shared_ptr<IocpCore> server_core_;
  std::shared_ptr<IocpCore> client_core_;
  std::vector<std::unique_ptr<Service>> services_;
  std::unique_ptr<Connector> connector_;
  std::vector<Driven> workers_;
  std::shared_ptr<SimExecutor> logic_;  // null until asked for
  std::size_t logic_threads_ = 0;
  std::vector<Watched> watched_;
  std::multimap<TimePoint, std::function<void()>> actions_;
  std::vector<std::string> log_;
  std::uint64_t steps_ = 0;
  bool finished_ = false;
};

}  // namespace netcore
