// Service: a server put together: a core, a listener, and a factory for sessions.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

#include "netcore/base/endpoint.h"
#include "netcore/base/error.h"
#include "netcore/core/iocp_core.h"
#include "netcore/service/listener.h"
#include "netcore/service/session_host.h"
#include "netcore/session/service_stats.h"
#include "netcore/session/session.h"
#include "netcore/session/session_manager.h"
#include "netcore/session/session_options.h"

namespace netcore {

/// A server by names. Only `port` and `factory` have no useful default.
struct ServiceOptions {
  std::string address{};  // "": all addresses of this machine, IPv4 and IPv6
  int port = 0;           // 0: any free one, see Service::LocalEndpoint
  SessionFactory factory{};

  CoreOptions core{};  // threads, backend, log, the watchdog's limit

  /// How many accepts are kept posted, from 1 to 10,000.
  std::size_t accept_depth = 100;

  /// Connections beyond it are closed at once, and counted. 0: no limit.
  std::size_t max_sessions = 10'000;

  SessionOptions session{};
};

///     auto service = std::make_shared<Service>(std::make_shared<IocpCore>(),
///     std::make_shared<Listener>(11021),
///                                              MakeSession<GameSession>, 100);
///     if (Error error = service->Start()) ...
///     // in each of your threads:
///     while (service->GetIocpCore()->Dispatch() != DispatchStatus::kStopped) {}
///
/// or, with threads of its own:
///
///     Service service({.port = 11021, .factory = MakeSession<GameSession>});
///     if (Error error = service.Start()) ...
///
/// Lifetime: sessions do not need it: its destructor stops with a deadline of zero and waits,
/// except inside a hook, where it only stops. Threads: any.
class Service {
 public:
  /// On a core that others may share, and whose threads are the caller's affair.
  Service(std::shared_ptr<IocpCore> core, std::shared_ptr<Listener> listener,
          SessionFactory factory, std::size_t accept_depth, SessionOptions session = {},
          std::size_t max_sessions = ServiceOptions{}.max_sessions);

  /// With a core of its own, which Start runs and WaitStopped stops.
  explicit Service(ServiceOptions options);

  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();

  /// Opens the core, listens, accepts. Once. The error says what was tried, where, and why not;
  /// kInvalidArgument names the option that has no meaning, such as a negative duration.
  /// After an error, or std::bad_alloc, which it throws, all is as before: nothing is left open (a
  /// core that is shared may stay open, for its other users), no thread runs, LocalEndpoint is none
  /// and Sessions null; and Start may be called again. Two exceptions, where another Start says
  /// kStopped: a core that was stopped stays so, and a core of its own is stopped if what fails
  /// comes after it was opened: a thread that the system refuses, or memory.
  [[nodiscard]] Error Start();

  /// Begins the end: no new sessions; those that are there get what is queued for them until
  /// `deadline` has passed, then a reset. Zero or negative: a reset at once. kForever: no reset.
  /// SessionOptions::close_timeout holds as well. Any number of times: the earliest deadline
  /// counts. A shared core goes on for its other services. Also from inside a hook. Not from a
  /// signal handler.
  void Stop(std::chrono::milliseconds deadline) noexcept;

  /// Waits for somebody to call Stop and then for the last OnDisconnected, and says what happened.
  /// A service that was not started has nothing to wait for. On a thread that runs a worker by
  /// calling Dispatch it dispatches meanwhile. From inside a hook it can't wait and says so
  /// (`complete` is false). Gives up some seconds after the deadline; never if that is kForever.
  StopReport WaitStopped();

  ServiceStats Stats() const;

  /// Its sessions: to find, to group, to speak to. Null before Start.
  std::shared_ptr<SessionManager> Sessions() const;

  const std::shared_ptr<IocpCore>& GetIocpCore() const noexcept { return host_.Core(); }

  /// Where it listens, with the real port; none before Start and after one that failed. Stays when
  /// the service has ended.
  Endpoint LocalEndpoint() const noexcept;

 private:
  enum class State { kNew, kStarted, kStopped };

  class Undo;  // takes a start back, unless it was kept

  Error Begin();
  void SetLocal(const Endpoint& local) noexcept;

  SessionHost host_;
  const bool owns_core_;
  const std::shared_ptr<Listener> listener_;
  const SessionFactory factory_;
  const std::size_t accept_depth_;
  const std::size_t max_sessions_;
  const SessionOptions session_;

  std::mutex mutex_;  // Start and Stop; never held while a worker runs
  State state_ = State::kNew;
  bool uses_listener_ = false;

  mutable std::mutex local_mutex_;  // a leaf: a hook may ask before Start has returned
  Endpoint local_;                  // once started
};

}  // namespace netcore
