// Connector: sessions that begin by connecting: a client, a load bot, a link between servers.
#pragma once

#include <chrono>
#include <memory>

#include "netcore/base/endpoint.h"
#include "netcore/base/error.h"
#include "netcore/core/iocp_core.h"
#include "netcore/service/session_host.h"
#include "netcore/session/service_stats.h"
#include "netcore/session/session.h"
#include "netcore/session/session_manager.h"
#include "netcore/session/session_options.h"

namespace netcore {

struct ConnectorOptions {
  /// How long a connect may take. With zero or kForever: as long as the system tries. Connect
  /// refuses a negative one.
  std::chrono::milliseconds timeout{10'000};

  SessionOptions session{};
};

/// Lifetime: sessions do not need it: its destructor stops with a deadline of zero and waits,
/// except inside a hook. Threads: any. The core's threads are the caller's affair (IocpCore::Run).
class Connector {
 public:
  explicit Connector(std::shared_ptr<IocpCore> core, ConnectorOptions options = {});
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;
  ~Connector();

  /// Begins to connect `session`, which is of one use, to `peer`. Then either OnConnected comes, or
  /// OnDisconnected alone, with kConnectFailed, kTimedOut or whatever Disconnect was called with,
  /// and an error that names the address. An error here means that nothing was begun and no hook
  /// will come: kInvalidArgument, with words, for a session that was used before or is not owned by
  /// this std::shared_ptr (see Session, Lifetime). Throws std::bad_alloc; nothing was begun then
  /// either. Also from inside a hook.
  [[nodiscard]] Error Connect(const Endpoint& peer, SessionRef session);

  /// Begins the end: no new connects, and those that are under way are given up. The sessions get
  /// what is queued for them until `deadline` has passed, then a reset. Zero or negative: a reset
  /// at once. kForever: no reset. Any number of times: the earliest deadline counts. Also from
  /// inside a hook.
  void Stop(std::chrono::milliseconds deadline) noexcept;

  /// Waits for Stop and for the last OnDisconnected, as Service::WaitStopped does.
  StopReport WaitStopped();

  ServiceStats Stats() const;

  /// Its sessions, as Service::Sessions. Null before the first Connect.
  std::shared_ptr<SessionManager> Sessions() const;

 private:
  SessionHost host_;
  const ConnectorOptions options_;
};

}  // namespace netcore
