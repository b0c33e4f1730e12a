// IoUringPort: the port that asks the kernel for completions directly. Knows sockets and events;
// what they mean is their owners' business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "netcore/base/log.h"
#include "netcore/port/completion_port.h"
#include "netcore/port/linux/io_uring_buffers.h"
#include "netcore/port/linux/io_uring_ring.h"
#include "netcore/port/linux/io_uring_room.h"
#include "netcore/port/linux/io_uring_script.h"
#include "netcore/port/linux/io_uring_socket.h"
#include "netcore/port/linux/linux_sockets.h"
#include "netcore/port/linux/wait_timer.h"

namespace netcore::linux_port {

/// The sizes of what a port takes from the system. Tests make them small to reach the bounds.
struct IoUringSizes {
  unsigned sq_entries = 512;  // a flush of more begins to leave before all of it is queued
  unsigned cq_entries = 8192;
  std::uint16_t recv_buffer_count = 1024;  // at most; a power of two
};

/// Every submit leaves an entry in the ring, and the next Dispatch sends all of them off in one
/// system call, which also waits. Accept and recv are armed once and repeat; whenever the kernel
/// ends one, for whatever reason, it is armed again as long as its owner wants more.
///
///     submit ---> ring ---> kernel ---> ring ---+
///        |                                      +-- Dispatch --> owner
///        +--- result known ---> ready queue ----+
///
/// An event is final only after the kernel's last word on its operation, so a socket with no
/// pending event has no operation in the kernel either, and can be closed at once. The exception is
/// a listener, whose accept the kernel repeats without asking for whom: that one lingers, shut
/// down, until the last word.
///
/// Owns: the ring, its receive buffers, the wake and timer descriptors, the adopted sockets.
/// Lifetime, Threads: see CompletionPort.
class IoUringPort final : public CompletionPort {
 public:
  /// `script`: null, or a test's, which outlives the port.
  IoUringPort(const IoUringSizes& sizes, std::shared_ptr<const Log> log,
              IoUringScript* script) noexcept
      : sizes_(sizes), log_(std::move(log)), script_(script), ring_(script) {}
  ~IoUringPort() override;

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
  SendBufferRef KeepReceived(std::span<std::byte> bytes) noexcept override {
    return bytes.size() >= kWorthKeeping ? buffers_.Lend(bytes) : SendBufferRef();
  }
  bool IsAlone() const noexcept override {
    return taken_before_ <= 1 && taken_count_ == 1 && !ring_.HasWork();
  }
  void ShutdownSend(PortSocket& socket) noexcept override;
  bool HasNews(IocpEvent& event) noexcept override;
  void Cancel(IocpEvent& event) noexcept override;
  void Close(PortSocket& socket, CloseMode mode) noexcept override;
  void Wake() noexcept override;
  std::size_t DispatchUntil(TimePoint deadline) noexcept override;
  std::size_t HandOutReady() noexcept override;

 private:
  using Completion = IoUringRing::Completion;

  static constexpr int kMaxRounds = 16;                   // Enters in one Dispatch that don't wait
  static constexpr int kMaxCompletions = 16 * 1024;       // taken in one Dispatch
  static constexpr int kMaxSpareVectors = 1024;           // a kilobyte each
  static constexpr std::size_t kWorthKeeping = 2 * 1024;  // of a buffer; less is cheaply copied

  // What a completion is about.
  enum class Operation : std::uint8_t {
    kIgnored,
    kWake,
    kTimer,
    kRoom,
    kAccept,
    kConnect,
    kRecv,
    kSend,
    kFirstCancel,  // kAccept + kFirstCancel is the answer to a cancel of an accept, and so on
  };

  //     | generation: 16 bits | address of the socket, less its low bits | operation: 4 bits |
  //
  // The generation tells an operation from an earlier one of its socket: no cancel can hit a later
  // operation, and no late answer is taken for one about it.
  static std::uint64_t UserData(const IoUringSocket& socket, Operation operation,
                                std::uint16_t generation) noexcept;
  static IoUringSocket* SocketOf(std::uint64_t user_data) noexcept;
  static Operation OperationOf(std::uint64_t user_data) noexcept;
  static std::uint16_t GenerationOf(std::uint64_t user_data) noexcept;

  static IoUringSocket& SocketOf(PortSocket& socket) noexcept;
  static ListLink<RecvTag>& WaitingRecv(IoUringSocket& socket) noexcept { return socket; }
  static IoUringEvent& Begin(IoUringSocket& socket, IocpEvent& event) noexcept;
  void MakeReady(IoUringEvent& record, Error error) noexcept;
  void Finish(IoUringEvent& record, IoResult& result) noexcept;
  void Finish(IoUringEvent& record, Error error) noexcept;

  // `inline`: between Dispatch and a handler, see CompletionPort::SendAtOnce.

  // io_uring_port.cpp: the rounds of Dispatch.
  IoUringRing::EnterResult Enter(Duration timeout) noexcept;
  void BackOff(TimePoint deadline) noexcept;
  inline void TakeRounds() noexcept;
  inline void Process(const Completion& completion) noexcept;
  void TakeReady() noexcept;
  bool HasReady() const noexcept {
    return !ready_.IsEmpty() || !resumed_.IsEmpty() || !accepting_.IsEmpty();
  }
  bool HasNewsOf(const IoUringSocket& socket, Operation operation,
                 Direction direction) const noexcept;
  bool ArmPoll(int descriptor, Operation operation) noexcept;
  void ProcessWake(const Completion& completion) noexcept;
  void ProcessTimer(const Completion& completion) noexcept;
  void Release(IoUringSocket& socket, CloseMode mode) noexcept;
  void FreeClosed() noexcept;
  void DrainClosing() noexcept;

  // io_uring_accept.cpp
  void SettleAccepts(IoUringSocket& listener) noexcept;
  void ProcessAccept(IoUringSocket& listener, const Completion& completion) noexcept;
  void ProcessAccepted(IoUringSocket& listener, int descriptor) noexcept;
  void ProcessFailedAccept(IoUringSocket& listener, int system_code) noexcept;
  void HandOutAccepted(IoUringSocket& listener) noexcept;
  void HandOutAborted(IoUringSocket& listener, int system_code) noexcept;
  void CancelAccept(IoUringEvent& record) noexcept;
  void CloseListening(IoUringSocket& listener) noexcept;

  // io_uring_cancel.cpp
  void AskCancel(IoUringSocket& socket, Operation operation, std::uint16_t generation) noexcept;
  void RefuseCancel(IoUringSocket& socket, Operation operation) noexcept;
  void ProcessCancel(IoUringSocket& socket, Operation operation, std::uint16_t generation,
                     int result) noexcept;
  Duration AskAgain(Duration timeout) noexcept;
  void AskAgain(IoUringSocket& socket, Operation operation) noexcept;

  // io_uring_recv.cpp
  enum class RecvForm : std::uint8_t { kMultishot, kOneBuffer };
  void ArmRecv(IoUringSocket& socket, RecvForm form) noexcept;
  void DisarmRecv(IoUringSocket& socket) noexcept;
  void ProcessRecv(IoUringSocket& socket, const Completion& completion) noexcept;
  inline void ProcessReceived(IoUringSocket& socket, std::span<std::byte> data) noexcept;
  void SettleRecv(IoUringSocket& socket, bool out_of_buffers) noexcept;
  void HandOutKept(IoUringSocket& socket) noexcept;
  inline void HandOutData(IoUringSocket& socket, std::span<std::byte> data) noexcept;
  void ArmEnded() noexcept;
  void CancelRecv(IoUringEvent& record) noexcept;

  // io_uring_send.cpp
  void PrepareSend(IoUringSocket& socket) noexcept;
  void ProcessSend(IoUringSocket& socket, const Completion& completion) noexcept;
  void AwaitRoom(IoUringSocket& socket) noexcept;
  void ProcessRoom(const Completion& completion) noexcept;
  void CancelSend(IoUringEvent& record) noexcept;
  void ProcessConnect(IoUringSocket& socket, const Completion& completion) noexcept;
  SendVector* NewVector() noexcept;
  void RecycleVector(IoUringEvent& record) noexcept;

  const IoUringSizes sizes_;
  const std::shared_ptr<const Log> log_;
  IoUringScript* const script_;
  IoUringBuffers buffers_;  // before the ring: destroyed after it
  IoUringRing ring_;
  IoUringRoom room_;
  WaitTimer timer_;
  int wake_ = -1;
  bool is_attached_ = false;
  bool is_wake_armed_ = false;
  bool is_timer_armed_ = false;
  bool is_room_armed_ = false;

  // Of the Dispatch that runs.
  std::size_t handed_out_count_ = 0;
  int taken_count_ = 0;
  int taken_before_ = 0;  // in the Dispatch before: few at a time mostly stay few
  bool is_woken_ = false;
  bool is_woken_late_ = false;  // after handlers had run, perhaps by one of them: for the next one

  // While the kernel refuses what it should do.
  int failed_enters_ = 0;     // in a row
  int refused_rounds_ = 0;    // Enters in a row before which some cancel had been refused
  TimePoint next_ask_ = {};   // when refused cancels are asked for again
  TimePoint next_line_ = {};  // when the log is told again

  IntrusiveList<IoUringEvent, EventTag> ready_;
  IntrusiveList<IoUringSocket, RecvTag> resumed_;    // `kept` or the end is to be handed out
  IntrusiveList<IoUringSocket, RecvTag> accepting_;  // `accepted` is to be handed out
  IntrusiveList<IoUringSocket, CancelTag> refused_;  // see refused_cancels
  IntrusiveList<IoUringSocket, RecvTag> ended_;      // by the kernel; to be armed again
  IntrusiveList<IoUringSocket, RecvTag> starved_;    // the same, because there was no buffer

  IntrusiveList<IoUringSocket, LifeTag> open_;
  IntrusiveList<IoUringSocket, LifeTag> closing_;  // listeners whose accept has not ended yet
  IntrusiveList<IoUringSocket, LifeTag> closed_;   // freed when no handler can be in them
  IntrusiveList<IoUringSocket, LifeTag> named_;    // the same, but answers still name them

  SendVector* spare_vectors_ = nullptr;
  int spare_vector_count_ = 0;
};

}  // namespace netcore::linux_port
