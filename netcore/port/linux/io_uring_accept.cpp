// IoUringPort's accepts: one repeating accept a listener serves all events that wait on it.
#include <sys/socket.h>

#include <cerrno>
#include <new>
#include <utility>

#include "netcore/port/linux/io_uring_port.h"
#include "netcore/port/linux/linux_sockets.h"

namespace netcore::linux_port {
namespace {

// A connection that was lost before we had it, or our own cancel: no event's business.
bool IsPassing(int system_code) noexcept {
  return system_code == ECANCELED || system_code == ECONNABORTED || system_code == EPROTO ||
         system_code == EINTR || system_code == EAGAIN;
}

// As many as the kernel had accepted before it learned that nobody waits: the completion queue
// bounds them.
void Keep(IoUringSocket& listener, int descriptor) noexcept {
  try {
    listener.accepted.push_back(descriptor);
  } catch (const std::bad_alloc&) {
    CloseDescriptor(descriptor, CloseMode::kAbort);
  }
}

}  // namespace

void IoUringPort::SubmitAccept(PortSocket& port_socket, IocpEvent& event) noexcept {
  IoUringSocket& listener = SocketOf(port_socket);
  IoUringEvent& record = Begin(listener, event);
  if (!listener.accepted.empty()) {
    record.accepted = listener.accepted.front();
    listener.accepted.pop_front();
    MakeReady(record, {});
    return;
  }
  listener.accepts.PushBack(record);
  SettleAccepts(listener);
}

void IoUringPort::SettleAccepts(IoUringSocket& listener) noexcept {
  MultishotState& state = listener.accept_state;
  if (listener.accepts.IsEmpty()) {
    if (!state.is_armed || std::exchange(state.is_cancelling, true)) return;
    ring_.Cancel(UserData(listener, Operation::kAccept));
    return;
  }
  if (state.is_armed) return;
  io_uring_sqe* const entry = ring_.NextEntry();
  if (entry == nullptr) {
    while (!listener.accepts.IsEmpty()) MakeReady(listener.accepts.Front(), ErrorCode::kNoBuffers);
    return;
  }
  // The addresses would all be written to the same place; FinishAccept asks for them.
  io_uring_prep_multishot_accept(entry, listener.descriptor, nullptr, nullptr,
                                 SOCK_CLOEXEC | SOCK_NONBLOCK);
  io_uring_sqe_set_data64(entry, UserData(listener, Operation::kAccept));
  state.is_armed = true;
}

void IoUringPort::FinishAccept(IoUringEvent& record, int descriptor) noexcept {
  IoResult result;
  AcceptedSocket accepted{OwnDescriptor(descriptor), {}};
  if (PeerEndpointOf(descriptor, accepted.peer)) {
    result.accepted = &accepted;
  } else {
    result.error = ErrorCode::kConnectionAborted;
  }
  Finish(record, result);
}

void IoUringPort::ProcessAccept(IoUringSocket& listener, const Completion& completion) noexcept {
  if (!completion.HasMore()) listener.accept_state = {};
  const bool has_taker = !listener.accepts.IsEmpty();
  if (completion.result >= 0) {
    if (has_taker) {
      FinishAccept(listener.accepts.PopFront(), completion.result);
    } else if (listener.is_closed) {
      CloseDescriptor(completion.result, CloseMode::kAbort);
    } else {
      Keep(listener, completion.result);
    }
  } else if (has_taker && !IsPassing(-completion.result)) {
    // Each failure uses up one event, so there is no spinning on a lasting one.
    Finish(listener.accepts.PopFront(), ErrorFromErrno(-completion.result));
  }

  if (!listener.is_closed) {
    SettleAccepts(listener);
  } else if (!listener.accept_state.is_armed && listener.descriptor >= 0) {
    Release(listener, CloseMode::kAbort);
  }
}

void IoUringPort::CancelAccept(IoUringEvent& record) noexcept {
  IoUringSocket& listener = record.socket;
  MakeReady(record, ErrorCode::kCancelled);
  SettleAccepts(listener);
}

void IoUringPort::CloseListening(IoUringSocket& listener) noexcept {
  for (const int descriptor : listener.accepted) CloseDescriptor(descriptor, CloseMode::kAbort);
  listener.accepted.clear();
  if (!listener.accept_state.is_armed) return;
  // Refuses connections from now on, though the kernel still holds the socket.
  static_cast<void>(::shutdown(listener.descriptor, SHUT_RDWR));
  SettleAccepts(listener);
}

}  // namespace netcore::linux_port
