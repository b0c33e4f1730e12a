// The parts of a run: connect, the loads, close. Each is bounded in time.
#include "bot/load_run.h"

#include <algorithm>
#include <sstream>
#include <thread>
#include <utility>

#include "common/stop_signal.h"

namespace samples {
namespace {

// Fewer than any server's backlog, so that none of our connects waits for a retransmission.
constexpr std::size_t kMaxConnecting = 100;

constexpr std::chrono::milliseconds kLookEvery{1};
constexpr std::chrono::milliseconds kShowEvery{100};
constexpr std::chrono::seconds kCloseTimeout{5};

netcore::ConnectorOptions OptionsFor(const LoadOptions& options) {
  netcore::ConnectorOptions connector;
  connector.timeout = options.connect_timeout;
  // A client never has more in flight than its pipeline.
  connector.session.max_send_queue_bytes =
      std::max(connector.session.max_send_queue_bytes, options.pipeline * options.message_size);
  return connector;
}

}  // namespace

LoadRun::LoadRun(std::shared_ptr<netcore::IocpCore> core, const LoadOptions& options,
                 std::shared_ptr<ConnectionStats> connections, std::unique_ptr<Crowd> crowd,
                 Progress progress)
    : core_(std::move(core)),
      options_(options),
      stats_(std::move(connections)),
      crowd_(std::move(crowd)),
      progress_(std::move(progress)),
      connector_(core_, OptionsFor(options)) {}

RunResult LoadRun::Run() {
  RunResult result;
  result.options = options_;
  result.backend = core_->BackendName();
  result.threads = core_->WorkerCount();
  const Clock::time_point begin = Clock::now();
  Connect();
  result.connect_duration = Clock::now() - begin;
  result.connected = stats_->connected;
  for (const LoadMode mode : options_.modes) {
    if (StopRequested() || stats_->failed > 0 || AllEnded()) break;
    result.loads.push_back(RunLoad(mode));
    if (!result.loads.back().Good()) break;
  }
  Close();
  result.failed = stats_->failed;
  result.broken = stats_->broken;
  const std::lock_guard lock(stats_->mutex);
  result.first_failure = stats_->first_failure;
  return result;
}

void LoadRun::Connect() {
  const auto decided = [this] { return stats_->connected + stats_->failed; };
  const Clock::time_point never = Clock::time_point::max();  // the connector gives up in time
  const Clock::time_point begin = Clock::now();
  const Clock::duration ramp = options_.ramp;
  bots_.reserve(options_.clients);
  while (bots_.size() < options_.clients && !StopRequested()) {
    const double share = static_cast<double>(bots_.size()) / static_cast<double>(options_.clients);
    const auto due = begin + std::chrono::duration_cast<Clock::duration>(
                                 std::chrono::duration<double>(ramp) * share);
    WaitUntil(never, [&] {
      ShowConnecting();
      return Clock::now() >= due && bots_.size() - decided() < kMaxConnecting;
    });
    bots_.push_back(crowd_->MakeBot());
    const netcore::SessionRef session = bots_.back()->AsSession().shared_from_this();
    if (const netcore::Error error = connector_.Connect(options_.server, session)) {
      const std::lock_guard lock(stats_->mutex);
      stats_->first_failure = error.Message();
      ++stats_->failed;
    }
  }
  WaitUntil(never, [&] {
    ShowConnecting();
    return decided() == bots_.size();
  });
}

LoadResult LoadRun::RunLoad(LoadMode mode) {
  const std::unique_ptr<Load> load = crowd_->MakeLoad(mode);
  LoadResult result;
  result.mode = mode;
  load->Prepare();
  result.prepared = WaitUntil(Clock::now() + options_.enter_timeout, [&] {
    ShowLoad(*load, mode, {});
    return load->IsPrepared() || AllEnded();
  });
  result.prepared = result.prepared && load->IsPrepared();
  if (result.prepared) Carry(*load, result);
  Drain(*load);
  load->Report(result);
  return result;
}

void LoadRun::Carry(Load& load, LoadResult& result) {
  const Clock::time_point begin = Clock::now();
  load.Begin();
  Clock::duration elapsed{};
  do {
    std::this_thread::sleep_for(kLookEvery);
    elapsed = Clock::now() - begin;
    load.Tick(elapsed);
    ShowLoad(load, result.mode, elapsed);
  } while (!load.IsOver(elapsed) && !AllEnded() && !StopRequested());
  result.duration = elapsed;
  result.within = load.Totals();
}

void LoadRun::Drain(Load& load) {
  load.Drain();
  WaitUntil(Clock::now() + options_.drain_timeout, [&] { return load.IsAnswered() || AllEnded(); });
}

void LoadRun::Close() {
  stats_->closing = true;
  for (const std::shared_ptr<Bot>& bot : bots_) bot->AsSession().ShutdownSend();
  WaitUntil(Clock::now() + kCloseTimeout, [this] { return AllEnded(); });
  connector_.Stop(std::chrono::milliseconds::zero());
  connector_.WaitStopped();
}

// What is shown is not for nothing: a load of thousands is summed up.
bool LoadRun::IsTimeToShow() {
  const Clock::time_point now = Clock::now();
  if (now < next_show_) return false;
  next_show_ = now + kShowEvery;
  return true;
}

void LoadRun::ShowConnecting() {
  if (!IsTimeToShow()) return;
  std::ostringstream text;
  text << "connecting: " << stats_->connected << " of " << options_.clients;
  progress_(static_cast<double>(stats_->connected) / static_cast<double>(options_.clients),
            text.str());
}

void LoadRun::ShowLoad(const Load& load, LoadMode mode, Clock::duration elapsed) {
  if (!IsTimeToShow()) return;
  const LoadTotals totals = load.Totals();
  std::ostringstream text;
  text.setf(std::ios::fixed);
  text.precision(1);
  text << ToString(mode) << ' ' << std::chrono::duration<double>(elapsed).count()
       << " s: " << totals.messages << " messages, " << totals.deliveries << " deliveries";
  progress_(load.Done(elapsed), text.str());
}

// False when the deadline came first.
template <typename Condition>
bool LoadRun::WaitUntil(Clock::time_point deadline, Condition&& condition) {
  while (!condition()) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kLookEvery);
  }
  return true;
}

}  // namespace samples
