// IocpPort: the seam on Windows, nearly as it is: one I/O completion port, served by one thread.
//
// A recv stream is a WSARecv of no bytes, which pins no buffer while nothing arrives, and after it
// a plain recv into the port's one buffer. What a call brings at once goes onto the ready queue:
// with FILE_SKIP_COMPLETION_PORT_ON_SUCCESS no packet comes for it, and handled on the spot it
// would run inside a submit. WSAENOBUFS on a send is reported as kNoBuffers with the bytes that
// left; the sender may try again after a while.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "netcore/port/completion_port.h"
#include "netcore/port/recv_area.h"
#include "netcore/port/windows/iocp_operation.h"
#include "netcore/port/windows/winsock_runtime.h"

namespace netcore {

/// Owns: the completion port, the sockets it has adopted, and one recv buffer for all of them.
/// Lifetime: the WinsockRuntime outlives it. Its thread stays until no event is pending: Windows
/// may cancel what a thread started when that thread ends. Threads: see CompletionPort.
class IocpPort final : public CompletionPort {
 public:
  [[nodiscard]] static Error Make(const windows_port::WinsockRuntime& runtime,
                                  std::unique_ptr<CompletionPort>& port);
  ~IocpPort() override;

  Error AttachThread() override;
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
  void ShutdownSend(PortSocket& socket) noexcept override;
  bool HasNews(IocpEvent& event) noexcept override;
  void Cancel(IocpEvent& event) noexcept override;
  void Close(PortSocket& socket, CloseMode mode) noexcept override;
  void Wake() noexcept override;
  std::size_t DispatchUntil(TimePoint deadline) noexcept override;
  std::size_t HandOutReady() noexcept override;

 private:
  using Operation = windows_port::IocpOperation;
  using Socket = windows_port::IocpSocket;

  explicit IocpPort(const windows_port::WinsockRuntime& runtime);

  bool OnOwnThread() const noexcept { return ::GetCurrentThreadId() == thread_id_; }
  Socket& SocketOf(PortSocket& socket) const noexcept;

  // In iocp_port.cpp. An operation's way: begun, handed to the system (or refused by it), taken
  // back, completed.
  Operation* Begin(EventKind kind, PortSocket& socket, IocpEvent& event) noexcept;
  void AfterCall(Operation& operation, bool done, DWORD transferred) noexcept;
  void Refuse(Operation& operation, int status) noexcept;
  void MakeReady(Operation& operation) noexcept;
  void TakePacket(const OVERLAPPED_ENTRY& packet) noexcept;
  void Process(Operation& operation) noexcept;
  void Complete(Operation& operation, IoResult& result) noexcept;

  // In iocp_operations.cpp.
  void ProcessAccept(Operation& operation) noexcept;
  void ProcessConnect(Operation& operation) noexcept;
  void ProcessSend(Operation& operation) noexcept;
  void ProcessRecv(Operation& operation) noexcept;
  void StartSend(Operation& operation) noexcept;
  void ArmRecv(Operation& operation) noexcept;
  void DeliverRecv(Operation& operation, std::size_t size_bytes) noexcept;
  void EndRecv(Operation& operation, const Error& error) noexcept;

  const windows_port::WinsockRuntime& runtime_;
  HANDLE port_ = nullptr;
  DWORD thread_id_ = 0;  // 0: not attached yet
  std::size_t pending_count_ = 0;
  std::size_t handed_out_ = 0;  // by the Dispatch that runs
  windows_port::ReadyQueue ready_;
  windows_port::RecordPool<windows_port::AcceptRecord> accept_records_;
  windows_port::RecordPool<windows_port::SendRecord> send_records_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  RecvArea recv_area_;
};

}  // namespace netcore
