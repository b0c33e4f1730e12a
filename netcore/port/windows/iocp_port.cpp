#include "netcore/port/windows/iocp_port.h"

#include <array>
#include <chrono>
#include <utility>

#include "netcore/base/assert.h"
#include "netcore/port/windows/winsock_sockets.h"

namespace netcore {

using windows_port::ErrorFromWindows;
using windows_port::OperationState;

namespace {

constexpr ULONG kMaxPackets = 128;  // taken in one Dispatch

// ntstatus.h does not go together with windows.h. Wine says this when descriptors are used up.
constexpr DWORD kStatusTooManyOpenedFiles = 0xC000011F;

// From now on; the clock is read only where it matters.
DWORD MillisecondsUntil(TimePoint deadline) noexcept {
  if (deadline == kNever) return INFINITE;
  if (deadline == kNoWait) return 0;
  const TimePoint now = std::chrono::steady_clock::now();
  if (deadline <= now) return 0;
  const auto rounded_up = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  return rounded_up < INFINITE ? static_cast<DWORD>(rounded_up) : INFINITE - 1;
}

// The error number that an operation's packet stands for.
int StatusOf(SOCKET socket, OVERLAPPED& overlapped) noexcept {
  const auto status = static_cast<DWORD>(overlapped.Internal);
  if (status == 0) return 0;
  if (status == kStatusTooManyOpenedFiles) return WSAEMFILE;
  DWORD transferred = 0;
  DWORD flags = 0;
  if (::WSAGetOverlappedResult(socket, &overlapped, &transferred, FALSE, &flags)) return 0;
  return ::WSAGetLastError();
}

}  // namespace

Error IocpPort::Make(const windows_port::WinsockRuntime& runtime,
                     std::unique_ptr<CompletionPort>& port) {
  std::unique_ptr<IocpPort> made(new IocpPort(runtime));
  made->port_ = ::CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 1);
  if (made->port_ == nullptr) {
    return ErrorFromWindows(static_cast<int>(::GetLastError()), "create completion port");
  }
  port = std::move(made);
  return {};
}

IocpPort::IocpPort(const windows_port::WinsockRuntime& runtime) : runtime_(runtime) {}

IocpPort::~IocpPort() {
  NETCORE_ASSERT(pending_count_ == 0);
  for (const auto& socket : sockets_) windows_port::CloseSocket(socket->handle, CloseMode::kAbort);
  if (port_ != nullptr) ::CloseHandle(port_);
}

Error IocpPort::AttachThread() {
  NETCORE_ASSERT(thread_id_ == 0);
  thread_id_ = ::GetCurrentThreadId();
  return {};
}

TimePoint IocpPort::Now() const noexcept {
  return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

PortSocket* IocpPort::Adopt(OwnedSocket&& socket, const SocketOptions& options) {
  NETCORE_ASSERT(OnOwnThread());
  sockets_.push_back(std::make_unique<Socket>());
  Socket& adopted = *sockets_.back();
  adopted.index = sockets_.size() - 1;
  adopted.handle = static_cast<SOCKET>(socket.Release());

  const windows_port::SocketTraits traits = windows_port::TraitsOf(adopted.handle);
  adopted.family = traits.family;
  adopted.extensions = &runtime_.Extensions(traits.family);
  const auto file = reinterpret_cast<HANDLE>(adopted.handle);
  if (::CreateIoCompletionPort(file, port_, 0, 0) == nullptr) {
    adopted.adopt_status = static_cast<int>(::GetLastError());
  } else if (traits.is_system_handle) {
    adopted.skips_packets =
        ::SetFileCompletionNotificationModes(
            file, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE) != 0;
  }
  windows_port::SetOptions(adopted.handle, options);
  return &adopted;
}

Endpoint IocpPort::LocalEndpoint(const PortSocket& socket) const {
  return windows_port::LocalEndpointOf(static_cast<const Socket&>(socket).handle);
}

void IocpPort::ShutdownSend(PortSocket& socket) noexcept {
  ::shutdown(SocketOf(socket).handle, SD_SEND);
}

void IocpPort::Close(PortSocket& socket, CloseMode mode) noexcept {
  Socket& closed = SocketOf(socket);
  windows_port::CloseSocket(closed.handle, mode);
  const std::size_t index = closed.index;
  std::swap(sockets_[index], sockets_.back());
  sockets_[index]->index = index;
  sockets_.pop_back();
}

// What the system has done shows in the OVERLAPPED before its packet is taken. A recv takes nothing
// before it is handed out, so the socket tells of that.
bool IocpPort::HasNews(IocpEvent& event) noexcept {
  if (!event.IsPending()) return false;
  const Operation& operation = RecordOf<Operation>(event);
  if (operation.state == OperationState::kInSystem &&
      HasOverlappedIoCompleted(&operation.overlapped)) {
    return true;
  }
  if (operation.kind == EventKind::kRecv) {
    return windows_port::RecvReadinessOf(operation.socket->handle) != 0;
  }
  return operation.state == OperationState::kReady;
}

void IocpPort::Cancel(IocpEvent& event) noexcept {
  NETCORE_ASSERT(OnOwnThread());
  if (!event.IsPending()) return;
  Operation& operation = RecordOf<Operation>(event);
  if (std::exchange(operation.cancelled, true)) return;
  switch (operation.state) {
    case OperationState::kInSystem:
      // Finds nothing if the packet is on its way already. CancelIo would take the socket's other
      // operations too.
      ::CancelIoEx(reinterpret_cast<HANDLE>(operation.socket->handle), &operation.overlapped);
      break;
    case OperationState::kDelivering:
    case OperationState::kParked:
      MakeReady(operation);
      break;
    case OperationState::kReady:
      break;
  }
}

void IocpPort::Wake() noexcept {
  // Without an OVERLAPPED: no operation's packet.
  ::PostQueuedCompletionStatus(port_, 0, 0, nullptr);
}

std::size_t IocpPort::DispatchUntil(TimePoint deadline) noexcept {
  NETCORE_ASSERT(OnOwnThread());
  static_cast<void>(HandOutReady());
  if (handed_out_ > 0 || ready_.Count() > 0) deadline = kNoWait;

  std::array<OVERLAPPED_ENTRY, kMaxPackets> packets;
  ULONG count = 0;
  // At a time-out the call fails; what `count` then says means nothing.
  if (!::GetQueuedCompletionStatusEx(port_, packets.data(), kMaxPackets, &count,
                                     MillisecondsUntil(deadline), FALSE)) {
    return handed_out_;
  }
  for (ULONG i = 0; i < count; ++i) {
    if (packets[i].lpOverlapped != nullptr) TakePacket(packets[i]);
  }
  return handed_out_;
}

std::size_t IocpPort::HandOutReady() noexcept {
  handed_out_ = 0;
  // What becomes ready meanwhile waits for the next time, or one busy socket could keep all others
  // waiting.
  for (std::size_t left = ready_.Count(); left > 0; --left) Process(ready_.Pop());
  return handed_out_;
}

IocpPort::Socket& IocpPort::SocketOf(PortSocket& socket) const noexcept {
  NETCORE_ASSERT(OnOwnThread());
  return static_cast<Socket&>(socket);
}

// Returns null where the socket was never adopted properly; the event is then on its way back.
IocpPort::Operation* IocpPort::Begin(EventKind kind, PortSocket& socket,
                                     IocpEvent& event) noexcept {
  NETCORE_ASSERT(!event.IsPending());
  Socket& on_socket = SocketOf(socket);
  Operation& operation = BeginEvent<Operation>(event, kind, event, on_socket);
  ++pending_count_;
  if (on_socket.adopt_status == 0) return &operation;
  Refuse(operation, on_socket.adopt_status);
  return nullptr;
}

// Right after the system call, whose error is still the thread's last one. The packet of a call
// that is pending can't overtake us: only this thread takes packets.
void IocpPort::AfterCall(Operation& operation, bool done, DWORD transferred) noexcept {
  const int status = done ? 0 : ::WSAGetLastError();
  if (status == WSA_IO_PENDING || (done && !operation.socket->skips_packets)) {
    operation.state = OperationState::kInSystem;
    return;
  }
  operation.transferred = done ? transferred : 0;
  Refuse(operation, status);
}

void IocpPort::Refuse(Operation& operation, int status) noexcept {
  operation.status = status;
  MakeReady(operation);
}

void IocpPort::MakeReady(Operation& operation) noexcept {
  operation.state = OperationState::kReady;
  ready_.Push(operation);
}

void IocpPort::TakePacket(const OVERLAPPED_ENTRY& packet) noexcept {
  Operation& operation = Operation::Of(packet.lpOverlapped);
  operation.status = StatusOf(operation.socket->handle, operation.overlapped);
  operation.transferred = packet.dwNumberOfBytesTransferred;
  Process(operation);
}

void IocpPort::Process(Operation& operation) noexcept {
  switch (operation.kind) {
    case EventKind::kAccept:
      return ProcessAccept(operation);
    case EventKind::kConnect:
      return ProcessConnect(operation);
    case EventKind::kRecv:
      return ProcessRecv(operation);
    case EventKind::kSend:
      return ProcessSend(operation);
  }
}

void IocpPort::Complete(Operation& operation, IoResult& result) noexcept {
  ++handed_out_;
  --pending_count_;
  CompleteEvent<Operation>(*operation.event, result);
}

}  // namespace netcore
