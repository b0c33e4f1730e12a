// SessionContext: what all sessions of one service or connector share: options, counters, the
// manager, and the count of who lives. Knows neither service nor session.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "netcore/base/clock.h"
#include "netcore/base/log.h"
#include "netcore/base/log_limit.h"
#include "netcore/session/close_info.h"
#include "netcore/session/service_stats.h"
#include "netcore/session/session_options.h"

namespace netcore {

class SessionManager;

/// Counters that one worker writes and everybody reads: no two workers share a cache line.
class alignas(64) WorkerCounters {
 public:
  void AddReceived(std::size_t bytes) noexcept { Add(received_, bytes); }
  void AddSent(std::size_t bytes) noexcept { Add(sent_, bytes); }
  void AddOpened() noexcept { Add(opened_, 1); }
  void AddFactoryFailure() noexcept { Add(factory_failures_, 1); }
  void AddAcceptFailure() noexcept { Add(accept_failures_, 1); }
  void AddAcceptAborted() noexcept { Add(accepts_aborted_, 1); }
  void AddEnded(CloseReason reason) noexcept { Add(ended_[static_cast<std::size_t>(reason)], 1); }

  void AddTo(ServiceStats& stats) const noexcept;

 private:
  using Counter = std::atomic<std::uint64_t>;

  // One writer: no read-modify-write is needed.
  static void Add(Counter& counter, std::uint64_t by) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  Counter received_{0};
  Counter sent_{0};
  Counter opened_{0};
  Counter factory_failures_{0};
  Counter accept_failures_{0};
  Counter accepts_aborted_{0};
  std::array<Counter, kCloseReasonCount> ended_{};
};

/// Owns: the figures; a share in the manager. Lifetime: shared by the service and its sessions; may
/// outlive the service. Threads: any.
class SessionContext : public std::enable_shared_from_this<SessionContext> {
 public:
  /// Counts as alive whatever must be over before WaitStopped returns: a session, a listener's
  /// acceptor, or what is still in a mailbox on its way to become one. A session's ticket also
  /// holds one of `max_sessions` places.
  class Ticket {
   public:
    Ticket() noexcept = default;
    Ticket(Ticket&& other) noexcept = default;
    Ticket& operator=(Ticket&& other) noexcept {
      std::swap(context_, other.context_);
      std::swap(has_place_, other.has_place_);
      return *this;
    }
    ~Ticket();

    explicit operator bool() const noexcept { return context_ != nullptr; }

   private:
    friend class SessionContext;
    Ticket(std::shared_ptr<SessionContext> context, bool has_place) noexcept;

    std::shared_ptr<SessionContext> context_;
    bool has_place_ = false;
  };

  /// `max_sessions` 0: no limit. `backend` is for the log.
  SessionContext(const SessionOptions& options, std::size_t max_sessions, std::size_t workers,
                 std::shared_ptr<SessionManager> manager, std::shared_ptr<const Log> log,
                 std::string_view backend);
  SessionContext(const SessionContext&) = delete;
  SessionContext& operator=(const SessionContext&) = delete;

  const SessionOptions& Options() const noexcept { return options_; }
  const Log& GetLog() const noexcept { return *log_; }
  const std::string& Backend() const noexcept { return backend_; }

  // Of lines that each connection may cause.
  LogLimit& FactoryLogLimit() noexcept { return factory_log_limit_; }
  LogLimit& HookLogLimit() noexcept { return hook_log_limit_; }

  /// For the worker's own thread.
  WorkerCounters& Counters(std::size_t worker) noexcept { return counters_[worker]; }

  const std::shared_ptr<SessionManager>& Manager() const noexcept { return manager_; }

  /// For what is no session. None once stopping.
  Ticket Enter() noexcept;

  /// For a session: none when all places are taken, which is counted, and none once stopping.
  Ticket EnterSession() noexcept;

  void SessionOpened() noexcept;
  void SessionEnded(std::size_t bytes_unsent) noexcept;

  /// From now on nobody joins. Counts what ends from here on for the report. Any number of times;
  /// the earliest deadline counts; kForever is none.
  void BeginStop(std::chrono::milliseconds deadline) noexcept;
  bool IsStopping() const noexcept { return stopping_.load(std::memory_order_seq_cst); }

  /// True when stopping and no ticket is out.
  bool IsDrained() const noexcept;

  /// True when the deadline of the stop is long past: whoever is still there will not end.
  bool IsOverdue() const;

  /// Waits for BeginStop, however long, and then until IsDrained or IsOverdue.
  void WaitDrained();

  ServiceStats Stats() const;
  StopReport Report() const;

 private:
  void ReturnTicket(bool has_place) noexcept;

  const SessionOptions options_;
  const std::size_t max_sessions_;
  const std::size_t worker_count_;
  const std::shared_ptr<SessionManager> manager_;
  const std::shared_ptr<const Log> log_;
  const std::string backend_;
  const std::unique_ptr<WorkerCounters[]> counters_;

  std::atomic<std::size_t> places_taken_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::size_t> sessions_{0};
  std::atomic<std::size_t> peak_sessions_{0};
  std::atomic<std::size_t> tickets_{0};
  std::atomic<bool> stopping_{false};
  LogLimit factory_log_limit_;
  LogLimit hook_log_limit_;

  mutable std::mutex mutex_;         // a leaf: nothing else is locked under it
  std::condition_variable changed_;  // stopping_ or IsDrained
  StopReport report_;                // under mutex_
  TimePoint stop_began_;             // under mutex_
  TimePoint give_up_ = kNever;       // under mutex_
};

}  // namespace netcore
