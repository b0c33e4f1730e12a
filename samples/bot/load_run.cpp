// The four parts of a run: connect, load, drain, close. Each is bounded in time.
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
                 std::shared_ptr<LoadShared> shared, BotFactory make_bot, Progress progress)
    : core_(std::move(core)),
      options_(options),
      shared_(std::move(shared)),
      stats_(shared_->stats),
      make_bot_(std::move(make_bot)),
      progress_(std::move(progress)),
      connector_(core_, OptionsFor(options)) {}

LoadResult LoadRun::Run() {
  LoadResult result;
  result.options = options_;
  result.backend = core_->BackendName();
  Connect();
  Load(result);
  Drain();
  Close();
  result.connected = stats_.connected;
  result.failed = stats_.failed;
  result.broken = stats_.broken;
  result.corrupted = stats_.corrupted;
  result.lost = stats_.messages_sent - stats_.messages_received;
  result.p50 = stats_.latency.Quantile(0.5);
  result.p99 = stats_.latency.Quantile(0.99);
  result.max = stats_.latency.Max();
  const std::lock_guard lock(shared_->mutex);
  result.first_failure = shared_->first_failure;
  return result;
}

void LoadRun::Connect() {
  const auto decided = [this] { return stats_.connected + stats_.failed; };
  const Clock::time_point never = Clock::time_point::max();  // the connector gives up in time
  bots_.reserve(options_.clients);
  while (bots_.size() < options_.clients && !StopRequested()) {
    WaitUntil(never, [&] { return bots_.size() - decided() < kMaxConnecting; });
    bots_.push_back(make_bot_(bots_.size()));
    if (const netcore::Error error = connector_.Connect(options_.server, bots_.back())) {
      const std::lock_guard lock(shared_->mutex);
      shared_->first_failure = error.Message();
      ++stats_.failed;
    }
    ShowConnecting();
  }
  WaitUntil(never, [&] {
    ShowConnecting();
    return decided() == bots_.size();
  });
}

void LoadRun::Load(LoadResult& result) {
  const Clock::time_point begin = Clock::now();
  for (const std::shared_ptr<Bot>& bot : bots_) {
    if (bot->IsConnected()) static_cast<void>(bot->Post([bot = bot.get()] { bot->Begin(); }));
  }
  const Clock::time_point end = begin + options_.duration;
  while (Clock::now() < end && !AllEnded() && !StopRequested()) {
    WaitUntil(std::min(end, Clock::now() + kShowEvery), [this] { return AllEnded(); });
    ShowLoad(Clock::now() - begin);
  }
  result.duration = Clock::now() - begin;
  result.messages = stats_.messages_received;
  result.bytes = stats_.bytes_received;
}

void LoadRun::Drain() {
  shared_->draining = true;
  WaitUntil(Clock::now() + options_.drain_timeout, [this] {
    const std::uint64_t received = stats_.messages_received;  // first: see EchoBot::OnRecv
    return received == stats_.messages_sent || AllEnded();
  });
}

void LoadRun::Close() {
  shared_->closing = true;
  for (const std::shared_ptr<Bot>& bot : bots_) bot->ShutdownSend();
  WaitUntil(Clock::now() + kCloseTimeout, [this] { return AllEnded(); });
  connector_.Stop(std::chrono::milliseconds::zero());
  connector_.WaitStopped();
}

void LoadRun::ShowConnecting() {
  std::ostringstream text;
  text << "connecting: " << stats_.connected << " of " << options_.clients;
  progress_(text.str());
}

void LoadRun::ShowLoad(std::chrono::duration<double> elapsed) {
  const std::uint64_t messages = stats_.messages_received;
  std::ostringstream text;
  text.setf(std::ios::fixed);
  text.precision(1);
  text << elapsed.count() << " s of " << options_.duration.count()
       << " s: " << stats_.connected - stats_.ended << " connections, " << messages << " messages, "
       << static_cast<std::uint64_t>(static_cast<double>(messages) / elapsed.count()) << "/s";
  progress_(text.str());
}

bool LoadRun::AllEnded() const noexcept { return stats_.ended == stats_.connected; }

template <typename Condition>
void LoadRun::WaitUntil(Clock::time_point deadline, Condition&& condition) {
  while (!condition() && Clock::now() < deadline) std::this_thread::sleep_for(kLookEvery);
}

}  // namespace samples
