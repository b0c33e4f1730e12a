// Acceptor: a listener at work. Keeps accepts posted, posts each again after it has completed, and
// gives what comes to the workers.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "netcore/base/timer_queue.h"
#include "netcore/core/resident.h"
#include "netcore/core/worker_set.h"
#include "netcore/session/connection.h"
#include "netcore/session/session_context.h"

namespace netcore {

/// After a failure that would come again at once (no descriptors, no memory) it posts nothing for a
/// while, then one accept, and all of them again once that one succeeds: no spin, and back in less
/// than kMaxBackOff.
///
/// Owns: the listening socket, the accept events. Lifetime: keeps itself alive from Start until its
/// last accept has completed. Threads: its worker's.
class Acceptor final : public Resident,
                       public Timer,
                       public std::enable_shared_from_this<Acceptor> {
 public:
  static constexpr std::chrono::milliseconds kMinBackOff{10};
  static constexpr std::chrono::milliseconds kMaxBackOff{500};

  /// Takes all the memory that accepting needs. Throws std::bad_alloc. Threads: any.
  Acceptor(std::shared_ptr<WorkerSet> workers, Worker& worker,
           std::shared_ptr<SessionContext> context, SessionFactory factory, Endpoint address,
           std::size_t depth);
  ~Acceptor() = default;

  /// Begins to accept on `socket`, with all `depth` accepts posted.
  void Start(OwnedSocket socket, SessionContext::Ticket ticket) noexcept;

 private:
  void Dispatch(IocpEvent& event, IoResult& result) noexcept override;
  void Flush() noexcept override;
  void OnStop(const void* group, TimePoint deadline) noexcept override;
  void OnTimer(TimePoint now) noexcept override;

  void Listen() noexcept;
  void Submit(IocpEvent& event) noexcept;
  void ProcessAccept(AcceptedSocket& accepted) noexcept;
  void ProcessFailure(const Error& error) noexcept;
  void BackOff(const char* from, const Error& error) noexcept;
  void SubmitParked(std::size_t count) noexcept;
  void Close() noexcept;

  const std::shared_ptr<WorkerSet> workers_;
  Worker& worker_;
  const std::shared_ptr<SessionContext> context_;
  const SessionFactory factory_;
  const Endpoint address_;  // for the log

  SessionContext::Ticket ticket_;
  std::shared_ptr<Acceptor> self_;
  OwnedSocket listening_;         // until the port has adopted it
  PortSocket* socket_ = nullptr;  // from then on
  std::vector<std::unique_ptr<IocpEvent>> events_;
  std::vector<IocpEvent*> parked_;  // not posted; room for all
  std::size_t pending_ = 0;
  std::size_t failures_in_a_row_ = 0;
  std::chrono::milliseconds back_off_{0};  // zero: none
  bool stopping_ = false;
};

}  // namespace netcore
