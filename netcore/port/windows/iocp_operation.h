// What IocpPort keeps: of a socket, of a pending event (IocpOperation), and beside it of an accept
// and a send. Knows no socket call.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "netcore/port/completion_port.h"
#include "netcore/port/windows/windows_headers.h"
#include "netcore/port/windows/winsock_runtime.h"

namespace netcore::windows_port {

/// A socket that a port has adopted.
struct IocpSocket : PortSocket {
  SOCKET handle = INVALID_SOCKET;
  const WinsockExtensions* extensions = nullptr;
  std::size_t index = 0;  // in the port's list of sockets
  int family = AF_UNSPEC;
  int adopt_status = 0;        // why the completion port refused it, 0 if it did not
  bool skips_packets = false;  // a call that is done at once brings no packet
};

/// An AcceptEx under way: the socket that becomes the connection, and both addresses, each with the
/// 16 bytes more that AcceptEx asks for.
struct AcceptRecord {
  static constexpr DWORD kAddressSize = DWORD{sizeof(sockaddr_storage)} + 16;

  AcceptRecord* next_free = nullptr;
  SOCKET socket = INVALID_SOCKET;
  alignas(sockaddr_storage) std::array<std::byte, 2 * std::size_t{kAddressSize}> addresses;
};

/// A send under way: what of it is not sent yet.
struct SendRecord {
  SendRecord* next_free = nullptr;
  DWORD first = 0;
  DWORD count = 0;
  std::array<WSABUF, CompletionPort::kMaxSendSlices> buffers;
};

/// Where an operation is. The last two are for recv streams.
///
///     submit ----> kInSystem ----packet----> its completion; for a recv stream that goes on:
///        |                                     |
///        +-------> kReady -----Dispatch--------+---> kDelivering --+--> kInSystem, armed again
///                     ^                        |                   +--> kReady, more is there
///                     |                        +---(paused)---+    |
///                     +---- resume, cancel ---- kParked <-----+----+
enum class OperationState : std::uint8_t {
  kReady,       // on the ready queue
  kInSystem,    // a packet will come
  kDelivering,  // its handler runs
  kParked,      // paused, and nobody's until it is resumed or cancelled
};

/// Lives in its event from the submit to the final completion. The system knows it by its
/// OVERLAPPED.
struct IocpOperation {
  IocpOperation(EventKind operation_kind, IocpEvent& for_event, IocpSocket& on_socket) noexcept
      : event(&for_event), socket(&on_socket), kind(operation_kind) {}

  static IocpOperation& Of(OVERLAPPED* overlapped) noexcept {
    return *reinterpret_cast<IocpOperation*>(overlapped);
  }

  OVERLAPPED overlapped{};
  IocpEvent* event;
  IocpSocket* socket;
  IocpOperation* next_ready = nullptr;
  void* record = nullptr;  // an AcceptRecord, a SendRecord or none
  int status = 0;          // the error number that the last system call came to
  DWORD transferred = 0;   // by the last system call
  DWORD sent = 0;          // by the system calls before it
  EventKind kind;
  OperationState state = OperationState::kReady;
  bool cancelled = false;
  bool paused = false;
};

static_assert(std::is_standard_layout_v<IocpOperation>);
static_assert(offsetof(IocpOperation, overlapped) == 0);
static_assert(sizeof(IocpOperation) <= IocpEvent::kRecordSize);

/// Operations to be handed on, in order. Needs no memory of its own.
class ReadyQueue {
 public:
  std::size_t Count() const noexcept { return count_; }

  void Push(IocpOperation& operation) noexcept {
    operation.next_ready = nullptr;
    *tail_ = &operation;
    tail_ = &operation.next_ready;
    ++count_;
  }

  /// Takes the first operation off. Not from an empty queue.
  IocpOperation& Pop() noexcept {
    IocpOperation& operation = *head_;
    head_ = operation.next_ready;
    if (--count_ == 0) tail_ = &head_;
    return operation;
  }

 private:
  IocpOperation* head_ = nullptr;
  IocpOperation** tail_ = &head_;
  std::size_t count_ = 0;
};

/// Owns: records that are free, a bounded number of them, for the next that asks.
template <typename Record>
class RecordPool {
 public:
  RecordPool() = default;
  RecordPool(const RecordPool&) = delete;
  RecordPool& operator=(const RecordPool&) = delete;
  ~RecordPool() {
    while (free_ != nullptr) delete std::exchange(free_, free_->next_free);
  }

  /// nullptr: no memory.
  Record* Acquire() noexcept {
    if (free_ == nullptr) return new (std::nothrow) Record;
    --free_count_;
    return std::exchange(free_, free_->next_free);
  }

  void Release(Record* record) noexcept {
    if (free_count_ == kMaxFree) {
      delete record;
      return;
    }
    record->next_free = std::exchange(free_, record);
    ++free_count_;
  }

 private:
  static constexpr std::size_t kMaxFree = 256;

  Record* free_ = nullptr;
  std::size_t free_count_ = 0;
};

}  // namespace netcore::windows_port
