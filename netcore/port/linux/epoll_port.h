// EpollPort: completions made of readiness, for Linux without io_uring. Knows sockets and events;
// what they mean is their owners' business.
#pragma once

#include <sys/epoll.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "netcore/base/intrusive_list.h"
#include "netcore/port/completion_port.h"
#include "netcore/port/linux/wait_timer.h"
#include "netcore/port/recv_area.h"

namespace netcore::linux_port {

/// A socket is registered with epoll only while an operation waits on it, and for nothing else than
/// that operation needs: level-triggered, but for a recv stream that waits alone. A send is tried
/// at once, inside its submit; whatever a submit already knows takes the ready queue, which the
/// next Dispatch hands out.
///
///     submit --- result known -----------------> ready queue --+
///        |                                                     +-- Dispatch --> owner
///        +------ must wait --> slot of the socket --- epoll ---+
///                                   |                          |
///                                   +--- Cancel ---> ready queue
///
/// Owns: the epoll, wake and timer descriptors, the adopted sockets, one buffer that all recvs
/// share. Lifetime, Threads: see CompletionPort.
class EpollPort final : public CompletionPort {
 public:
  EpollPort() = default;
  ~EpollPort() override;

  /// Takes from the system what the port needs. Once, before everything else.
  [[nodiscard]] Error Open();

  [[nodiscard]] Error AttachThread() override;
  TimePoint Now() const noexcept override;
  bool IsKnownBefore(TimePoint time) const noexcept override { return timer_.IsSetBy(time); }
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
  bool IsAlone() const noexcept override { return is_alone_; }
  void ShutdownSend(PortSocket& socket) noexcept override;
  bool HasNews(IocpEvent& event) noexcept override;
  void Cancel(IocpEvent& event) noexcept override;
  void Close(PortSocket& socket, CloseMode mode) noexcept override;
  void Wake() noexcept override;
  std::size_t DispatchUntil(TimePoint deadline) noexcept override;
  std::size_t HandOutReady() noexcept override;

 private:
  struct Socket;    // an adopted socket
  struct Record;    // of a pending event
  struct Unsent;    // what of one send has not left yet
  struct EventTag;  // the event waits in one queue
  struct LifeTag;   // the socket is open or closed

  static constexpr int kMaxEvents = kFullDispatch;  // taken from epoll at once
  static constexpr int kMaxAccepts = 64;            // of one listener in a row
  static constexpr int kMaxUnpolled = 3;            // Dispatches in a row that don't ask epoll
  static constexpr int kMaxSpareUnsent = 64;        // a kilobyte each
  static constexpr std::size_t kAtOnceFrom = 8 * 1024;

  void AssertOwnThread() const noexcept;
  Record& Begin(Socket& socket, IocpEvent& event) noexcept;
  void Queue(IocpEvent& event, Error error) noexcept;
  std::size_t HandOutQueued() noexcept;
  void Complete(IocpEvent& event, IoResult& result) noexcept;

  // Makes epoll watch what the socket's waiting events need; false, with errno, when it refuses.
  bool UpdateInterest(Socket& socket) noexcept;
  bool SetInterest(Socket& socket, std::uint32_t wanted) noexcept;
  void LookAgain(Socket& socket) noexcept;
  void DropInterest(Socket& socket) noexcept;  // the same, when it can only have become less

  static void NoteFailedSend(Socket& socket) noexcept;
  static ssize_t Send(Socket& socket, std::span<iovec> slices) noexcept;
  bool TrySend(Socket& socket, Record& record, std::span<iovec> slices) noexcept;
  Unsent* NewUnsent(std::span<const iovec> slices, std::size_t sent) noexcept;
  void Recycle(Record& record) noexcept;

  // `inline`: between Dispatch and a handler, see CompletionPort::SendAtOnce.

  Socket* SocketOf(const epoll_event& event) const noexcept;
  inline std::size_t WaitForReadiness(TimePoint deadline) noexcept;
  bool Watch(int descriptor, void* what) noexcept;
  int Wait(TimePoint deadline) noexcept;
  int WaitOnce(Duration timeout) noexcept;
  bool IsTimerAlone(int ready) const noexcept;
  void DrainWake() noexcept;

  // Each returns how many completions it handed out; the socket may be closed afterwards.
  inline std::size_t HandleReadiness(Socket& socket, std::uint32_t readiness) noexcept;
  std::size_t HandleAccepts(Socket& listener) noexcept;
  std::size_t HandleRecv(Socket& socket, std::uint32_t readiness) noexcept;
  std::size_t HandleConnect(Socket& socket) noexcept;
  std::size_t HandleSend(Socket& socket) noexcept;

  void FreeClosed() noexcept;

  int epoll_ = -1;
  int wake_ = -1;
  WaitTimer timer_;
  const void* thread_ = nullptr;  // whose it is: a mark of that thread's own
  bool has_pwait2_ = true;        // until the system says otherwise
  bool is_alone_ = false;         // a handler runs, of the one descriptor that was ready
  int unpolled_ = 0;              // Dispatches since epoll was last asked
  IntrusiveList<Record, EventTag> ready_;
  IntrusiveList<Socket, LifeTag> open_;
  IntrusiveList<Socket, LifeTag> closed_;  // freed when no readiness can name them any more
  Unsent* spare_unsent_ = nullptr;
  int spare_unsent_count_ = 0;
  RecvArea recv_area_;
  std::array<epoll_event, kMaxEvents> events_;
};

}  // namespace netcore::linux_port
