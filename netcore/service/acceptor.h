// Acceptor: a listener at work. Keeps accepts posted, posts each again after it has completed, and
// gives what comes to the workers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "netcore/base/timer_queue.h"
#include "netcore/core/resident.h"
#include "netcore/core/worker_set.h"
#include "netcore/session/connection.h"
#include "netcore/session/session_context.h"

namespace netcore {

/// Each failure of an accept is of one of three kinds:
/// - The peer's: its connection was gone before it was accepted. It is counted, and the accept is
///   posted again at once, however many come: a peer can't delay another one.
/// - A resource's (no descriptors, no memory, not permitted): it would come again at once. Nothing
/// is
///   posted for a while, then one accept, and all of them again once that one succeeds: no spin,
///   and back in less than kMaxBackOff.
/// - Unknown: the accept is posted again at once, but kMaxUnknownInARow of them without a
/// connection
///   between them count as a resource's.
///
/// The log has one line when a resource runs short, and one when accepts have worked for kQuietTime
/// again, however often they failed between the two.
///
/// Owns: the listening socket, the accept events. Lifetime: keeps itself alive from Start until its
/// last accept has completed. Threads: its worker's.
class Acceptor final : public Resident,
                       public Timer,
                       public std::enable_shared_from_this<Acceptor> {
 public:
  static constexpr std::chrono::milliseconds kMinBackOff{10};
  static constexpr std::chrono::milliseconds kMaxBackOff{500};
  static constexpr std::chrono::milliseconds kQuietTime{10'000};
  static constexpr int kMaxUnknownInARow = 64;

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
  void NoteAborted() noexcept;
  void NoteWorks() noexcept;
  void BackOff(const char* from, const Error& error) noexcept;
  void TellTrouble(const char* from, const Error& error) noexcept;
  void TellWorks() noexcept;
  bool IsBackingOff() const noexcept { return back_off_ > std::chrono::milliseconds::zero(); }
  bool SetTimer(TimePoint time) noexcept;
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
  int unknown_in_a_row_ = 0;
  std::chrono::milliseconds back_off_{0};  // zero: none
  TimePoint last_trouble_ = {};            // while is_in_trouble_
  std::uint64_t failures_told_ = 0;        // since is_in_trouble_
  bool is_in_trouble_ = false;             // the log was told so, and was not told that it is over
  bool stopping_ = false;
};

}  // namespace netcore
