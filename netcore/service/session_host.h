// SessionHost: what a Service and a Connector have in common: sessions on a core's workers that
// are counted together and stopped together.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>

#include "netcore/base/error.h"
#include "netcore/core/iocp_core.h"
#include "netcore/session/service_stats.h"
#include "netcore/session/session_context.h"
#include "netcore/session/session_options.h"

namespace netcore {

/// Owns: a share in the core. Lifetime: its service's; the sessions share only the context.
/// Threads: any.
class SessionHost {
 public:
  explicit SessionHost(std::shared_ptr<IocpCore> core);
  SessionHost(const SessionHost&) = delete;
  SessionHost& operator=(const SessionHost&) = delete;

  /// Opens the core and makes the context. Any number of times; the first options count. kStopped
  /// after Stop.
  [[nodiscard]] Error Open(const SessionOptions& options, std::size_t max_sessions);

  /// Takes Open back, where nothing has begun. The core stays open.
  void Revoke() noexcept;

  /// As Service's.
  void Stop(std::chrono::milliseconds deadline) noexcept;
  StopReport WaitStopped();
  ServiceStats Stats() const;
  std::shared_ptr<SessionManager> Sessions() const;

  const std::shared_ptr<IocpCore>& Core() const noexcept { return core_; }

  /// Null before Open.
  std::shared_ptr<WorkerSet> Workers() const;
  std::shared_ptr<SessionContext> Context() const;

 private:
  const std::shared_ptr<IocpCore> core_;

  mutable std::mutex mutex_;  // never held while a worker runs
  std::shared_ptr<WorkerSet> workers_;
  std::shared_ptr<SessionContext> context_;
  bool stopped_ = false;  // also before Open, which then refuses
};

}  // namespace netcore
