// Counting who lives, who came and how they ended.
#include "netcore/session/session_context.h"

#include <algorithm>

#include "netcore/base/timed_wait.h"
#include "netcore/session/session_manager.h"

namespace netcore {
namespace {

// What cancelled operations and the last hooks may take after the deadline of a stop.
constexpr std::chrono::seconds kGrace{5};

}  // namespace

void WorkerCounters::AddTo(ServiceStats& stats) const noexcept {
  const auto read = [](const Counter& counter) { return counter.load(std::memory_order_relaxed); };
  stats.bytes_received += read(received_);
  stats.bytes_sent += read(sent_);
  stats.total_sessions += read(opened_);
  stats.factory_failures += read(factory_failures_);
  stats.accept_failures += read(accept_failures_);
  stats.accepts_aborted += read(accepts_aborted_);
  for (std::size_t reason = 0; reason < kCloseReasonCount; ++reason) {
    stats.ended[reason] += read(ended_[reason]);
  }
}

SessionContext::Ticket::Ticket(std::shared_ptr<SessionContext> context, bool has_place) noexcept
    : context_(std::move(context)), has_place_(has_place) {
  context_->tickets_.fetch_add(1, std::memory_order_seq_cst);
}

SessionContext::Ticket::~Ticket() {
  if (context_ != nullptr) context_->ReturnTicket(has_place_);
}

SessionContext::SessionContext(const SessionOptions& options, std::size_t max_sessions,
                               std::size_t workers, std::shared_ptr<SessionManager> manager,
                               std::shared_ptr<const Log> log, std::string_view backend)
    : options_(options),
      max_sessions_(max_sessions),
      worker_count_(workers),
      manager_(std::move(manager)),
      log_(std::move(log)),
      backend_(backend),
      counters_(std::make_unique<WorkerCounters[]>(workers)) {}

SessionContext::Ticket SessionContext::Enter() noexcept {
  if (IsStopping()) return {};
  // The ticket first: a stop that does not see it is seen by the next line.
  Ticket ticket(shared_from_this(), false);
  return IsStopping() ? Ticket() : std::move(ticket);
}

SessionContext::Ticket SessionContext::EnterSession() noexcept {
  const std::size_t taken = places_taken_.fetch_add(1, std::memory_order_relaxed);
  if (max_sessions_ != 0 && taken >= max_sessions_) {
    places_taken_.fetch_sub(1, std::memory_order_relaxed);
    refused_.fetch_add(1, std::memory_order_relaxed);
    return {};
  }
  Ticket ticket(shared_from_this(), true);
  return IsStopping() ? Ticket() : std::move(ticket);
}

void SessionContext::SessionOpened() noexcept {
  const std::size_t now = 1 + sessions_.fetch_add(1, std::memory_order_relaxed);
  std::size_t peak = peak_sessions_.load(std::memory_order_relaxed);
  while (peak < now &&
         !peak_sessions_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
}

void SessionContext::SessionEnded(std::size_t bytes_unsent) noexcept {
  sessions_.fetch_sub(1, std::memory_order_relaxed);
  if (!IsStopping()) return;
  const std::lock_guard lock(mutex_);
  ++report_.sessions_ended;
  if (bytes_unsent > 0) ++report_.sessions_cut;
  report_.bytes_unsent += bytes_unsent;
}

void SessionContext::BeginStop(std::chrono::milliseconds deadline) noexcept {
  const std::lock_guard lock(mutex_);
  const TimePoint now = std::chrono::steady_clock::now();
  give_up_ = std::min(give_up_, Later(Later(now, deadline), kGrace));
  if (!stopping_.exchange(true, std::memory_order_seq_cst)) stop_began_ = now;
  changed_.notify_all();
}

void SessionContext::ReturnTicket(bool has_place) noexcept {
  if (has_place) places_taken_.fetch_sub(1, std::memory_order_relaxed);
  // Under the lock, so that a waiter is either before its look at tickets_ or asleep.
  const std::lock_guard lock(mutex_);
  if (tickets_.fetch_sub(1, std::memory_order_seq_cst) != 1 || !IsStopping()) return;
  report_.duration = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - stop_began_);
  changed_.notify_all();
}

bool SessionContext::IsDrained() const noexcept {
  return IsStopping() && tickets_.load(std::memory_order_seq_cst) == 0;
}

bool SessionContext::IsOverdue() const {
  const std::lock_guard lock(mutex_);
  return std::chrono::steady_clock::now() >= give_up_;
}

void SessionContext::WaitDrained() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return IsStopping(); });
  // A later stop may bring the deadline nearer, so each wake looks at it again.
  while (!IsDrained() && std::chrono::steady_clock::now() < give_up_) {
    WaitUntil(changed_, lock, give_up_);
  }
}

ServiceStats SessionContext::Stats() const {
  ServiceStats stats;
  stats.sessions = sessions_.load(std::memory_order_relaxed);
  stats.peak_sessions = peak_sessions_.load(std::memory_order_relaxed);
  stats.groups = manager_->GroupCount();
  stats.refused = refused_.load(std::memory_order_relaxed);
  for (std::size_t worker = 0; worker < worker_count_; ++worker) {
    counters_[worker].AddTo(stats);
  }
  return stats;
}

StopReport SessionContext::Report() const {
  const std::lock_guard lock(mutex_);
  StopReport report = report_;
  report.complete = IsDrained();
  report.sessions_left = sessions_.load(std::memory_order_relaxed);
  return report;
}

}  // namespace netcore
