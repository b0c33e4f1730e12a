// IoUringSocket and IoUringEvent: what the io_uring port remembers of an adopted socket and of a
// pending event. Plain records; IoUringPort moves them through their states.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "netcore/base/error.h"
#include "netcore/base/intrusive_list.h"
#include "netcore/port/completion_port.h"

namespace netcore::linux_port {

struct IoUringSocket;
struct CancelTag;  // the socket's cancels are to be asked for again
struct EventTag;   // the event waits in one queue
struct LifeTag;    // the socket is open, closing or closed
struct RecvTag;    // what the socket received or accepted waits for the next Dispatch

/// What a send of several slices needs until it completes. Pooled.
struct SendVector {
  msghdr header{};
  SendVector* next_free = nullptr;
  std::array<iovec, CompletionPort::kMaxSendSlices> slices;
};

/// The record of a pending event.
struct IoUringEvent : ListLink<EventTag> {
  IoUringEvent(IocpEvent& its_event, IoUringSocket& its_socket) noexcept
      : event(its_event), socket(its_socket) {}

  IocpEvent& event;
  IoUringSocket& socket;
  Error error;                   // when is_ready
  SendVector* vector = nullptr;  // a send of several slices
  iovec slice{};                 // a send of one: what has not left yet
  std::uint32_t sent_bytes = 0;
  std::uint16_t generation = 0;  // of the send or connect that the kernel has
  bool is_ready = false;         // the result is known and waits for the next Dispatch
  bool is_cancelled = false;     // Cancel was called, and the result is not known yet
};

/// One operation that the kernel repeats by itself until it says that it has ended.
struct MultishotState {
  bool is_armed = false;       // the kernel has it, or gets it with the next Enter
  bool is_cancelling = false;  // and was asked to end it
  std::uint16_t generation = 0;
};

/// An adopted socket. At most one recv, send and connect are pending, or any number of accepts.
/// Aligned so that the low bits of its address are free, see IoUringPort::UserData.
struct alignas(16) IoUringSocket : PortSocket,
                                   ListLink<LifeTag>,
                                   ListLink<RecvTag>,
                                   ListLink<CancelTag> {
  explicit IoUringSocket(int its_descriptor) noexcept : descriptor(its_descriptor) {}

  int descriptor;
  bool is_closed = false;
  std::uint8_t refused_cancels = 0;      // a bit an operation whose cancel is to be asked again
  std::uint16_t generation = 0;          // of the newest operation; wraps round
  std::uint32_t unanswered_cancels = 0;  // the kernel still owes an answer that names this record
  const IocpObject* owner = nullptr;     // of the last event; to prefetch, for it may be gone

  IoUringEvent* recv = nullptr;
  MultishotState recv_state;
  bool is_paused = false;
  bool has_end = false;  // the stream has ended with end_error; reported behind `kept`
  Error end_error;
  std::list<std::vector<std::byte>> kept;  // received, not to be handed out yet

  bool HasKept() const noexcept { return !kept.empty() || has_end; }

  IoUringEvent* send = nullptr;
  bool was_reset = false;      // a send has been told so
  bool waits_in_vain = false;  // the ring turns instead of waiting for room, see IoUringRoom
  bool awaits_room = false;    // `send` waits in IoUringRoom, not in the ring

  IoUringEvent* connect = nullptr;
  std::unique_ptr<sockaddr_storage> connect_address;

  IntrusiveList<IoUringEvent, EventTag> accepts;  // pending, oldest first
  MultishotState accept_state;
  std::list<int> accepted;  // descriptors that came while no accept was pending
};

}  // namespace netcore::linux_port
