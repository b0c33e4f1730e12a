// MemoryPort: the seam on a MemoryNet, for tests of what stands above it. An operation that may be
// able to go on is put in a queue, first in, first out; Dispatch tries each of them in turn.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "netcore/base/intrusive_list.h"
#include "netcore/port/completion_port.h"
#include "netcore/sim/memory_net.h"
#include "netcore/sim/memory_step.h"
#include "netcore/sim/sim_control.h"

namespace netcore {

/// The time is the net's. A Dispatch that finds nothing to do lets it pass: what it would have
/// waited is how far the clock moves, but no further than to the net's next step. With
/// kNever and no such step it returns at once, with 0: nothing can happen any more.
///
/// With a net that has a SimControl, operations meet the faults that it plans, and the port checks
/// its callers: what is pending stays where it is, the bytes of a send stay as they are, nothing is
/// submitted on a socket that was closed or behind the end of a stream.
///
/// Owns: its sockets and the buffer that recv lends. Lifetime: as its base says.
/// Threads: one, the same for all ports of the net; Wake any.
class MemoryPort final : public CompletionPort, public MemoryStep {
 public:
  /// Operations that one Dispatch tries, at most.
  static constexpr std::size_t kMaxBatch = 256;

  /// Small enough for tests to come by it.
  static constexpr std::size_t kAtOnceFrom = 256;

  explicit MemoryPort(std::shared_ptr<MemoryNet> net);
  ~MemoryPort() override;

  [[nodiscard]] Error AttachThread() override;
  TimePoint Now() const noexcept override;
  PortSocket* Adopt(OwnedSocket&& socket, const SocketOptions& options) override;
  Endpoint LocalEndpoint(const PortSocket& socket) const override;
  void SubmitAccept(PortSocket& listener, IocpEvent& event) noexcept override;
  void SubmitConnect(PortSocket& socket, const Endpoint& peer, IocpEvent& event) noexcept override;
  void SubmitRecv(PortSocket& socket, IocpEvent& event) noexcept override;
  void PauseRecv(PortSocket& socket, IocpEvent& event) noexcept override;
  void ResumeRecv(PortSocket& socket, IocpEvent& event) noexcept override;
  void SubmitSend(PortSocket& socket, std::span<const SendSlice> slices,
                  IocpEvent& event) noexcept override;
  std::size_t SendAtOnce(PortSocket& socket, std::span<const std::byte> bytes) noexcept override;
  std::size_t AtOnceFrom() const noexcept override { return kAtOnceFrom; }
  void ShutdownSend(PortSocket& socket) noexcept override;
  bool HasNews(IocpEvent& event) noexcept override;
  void Cancel(IocpEvent& event) noexcept override;
  void Close(PortSocket& socket, CloseMode mode) noexcept override;
  void Wake() noexcept override;
  std::size_t DispatchUntil(TimePoint deadline) noexcept override;

 private:
  class Adopted;
  struct Operation;

  struct OperationTag;
  using OperationList = IntrusiveList<Operation, OperationTag>;

  void Begin(PortSocket& socket, IocpEvent& event) noexcept;
  void MakeReady(IocpEvent& event) noexcept;
  void MakeAcceptsReady(Adopted& listener) noexcept;
  void TakeReady(IocpEvent& event) noexcept;

  // An operation that is held is not tried, whatever happens, until its time has come.
  void Hold(IocpEvent& event, TimePoint until) noexcept;
  void OnDue() noexcept override;
  bool IsHeldUp(IocpEvent& event) noexcept;
  Error DrawAcceptFailure(Adopted& listener) noexcept;
  std::size_t DropConnection(IocpEvent& event) noexcept;

  bool Happens(Fault fault) noexcept {
    return control_ != nullptr && control_->faults.Happens(fault);
  }
  void Note(SimEvent what, std::uint8_t detail, const Adopted& socket,
            std::uint64_t value = 0) noexcept;
  void Expect(bool holds, const char* rule) noexcept;
  void CheckPending() noexcept;
  static std::uint64_t SumOf(std::span<const SendSlice> slices) noexcept;

  // Each tries one operation once and returns how many completions it handed out. All but Try may
  // throw std::bad_alloc.
  std::size_t Try(IocpEvent& event) noexcept;
  std::size_t TryAccept(IocpEvent& event);
  std::size_t TryConnect(IocpEvent& event);
  std::size_t TryRecv(IocpEvent& event);
  std::size_t TrySend(IocpEvent& event);
  std::size_t Finish(IocpEvent& event, const Error& error, std::size_t bytes = 0) noexcept;
  std::size_t Finish(IocpEvent& event, IoResult& result) noexcept;
  std::size_t Blocked(IocpEvent& event) noexcept;
  void Deliver(IocpEvent& event, IoResult& result) noexcept;

  const std::shared_ptr<MemoryNet> net_;
  SimControl* const control_;                                  // null: no faults, no checks
  const std::uint32_t index_;                                  // among the net's ports
  std::vector<std::byte> lent_;                                // to one recv handler at a time
  std::map<std::uint64_t, std::unique_ptr<Adopted>> sockets_;  // in the order of Adopt
  std::uint64_t next_id_ = 0;
  OperationList ready_;
  std::size_t ready_count_ = 0;
  std::multimap<TimePoint, IocpEvent*> held_;
  std::vector<std::unique_ptr<Adopted>> closed_;  // with a control: their handles are used again
  TimePoint no_buffers_until_{};
  std::atomic<bool> woken_{false};
  bool attached_ = false;
};

}  // namespace netcore
