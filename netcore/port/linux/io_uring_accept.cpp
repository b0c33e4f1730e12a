// IoUringPort's accepts: one repeating accept a listener serves all events that wait on it.
//
// The kernel can't tell the peers of a repeating accept, so each is asked for. A peer that has
// reset its connection by then has none: that connection is closed here, and no session is made of
// it.
#include <sys/socket.h>
#include <unistd.h>

#include <new>
#include <utility>

#include "netcore/port/linux/io_uring_port.h"
#include "netcore/port/linux/linux_sockets.h"

namespace netcore::linux_port {
namespace {

// As many as the kernel had accepted before it learned that no event waits: one arming brings at
// most the backlog and what connects meanwhile.
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
  listener.accepts.PushBack(Begin(listener, event));
  SettleAccepts(listener);
}

// Makes the kernel accept while an event waits for that, and only then.
void IoUringPort::SettleAccepts(IoUringSocket& listener) noexcept {
  MultishotState& state = listener.accept_state;
  if (listener.accepts.IsEmpty()) {
    if (!state.is_armed || std::exchange(state.is_cancelling, true)) return;
    return AskCancel(listener, Operation::kAccept, state.generation);
  }
  if (!listener.accepted.empty()) return accepting_.PushBack(listener);
  if (state.is_armed) return;
  io_uring_sqe* const entry = ring_.NextEntry();
  if (entry == nullptr) {
    while (!listener.accepts.IsEmpty()) MakeReady(listener.accepts.Front(), ErrorCode::kNoBuffers);
    return;
  }
  io_uring_prep_multishot_accept(entry, listener.descriptor, nullptr, nullptr,
                                 SOCK_CLOEXEC | SOCK_NONBLOCK);
  state.is_armed = true;
  state.generation = ++listener.generation;
  io_uring_sqe_set_data64(entry, UserData(listener, Operation::kAccept, state.generation));
}

void IoUringPort::ProcessAccept(IoUringSocket& listener, const Completion& completion) noexcept {
  if (!completion.HasMore()) listener.accept_state = {};
  if (completion.result < 0) {
    if (!listener.accepts.IsEmpty()) ProcessFailedAccept(listener, -completion.result);
  } else if (listener.is_closed) {
    CloseDescriptor(completion.result, CloseMode::kAbort);
  } else if (listener.accepts.IsEmpty() || !listener.accepted.empty()) {
    Keep(listener, completion.result);
  } else {
    ProcessAccepted(listener, completion.result);
  }

  if (!listener.is_closed) {
    SettleAccepts(listener);
  } else if (!listener.accept_state.is_armed && listener.descriptor >= 0) {
    Release(listener, CloseMode::kAbort);
  }
}

// For the first of the events that wait.
void IoUringPort::ProcessAccepted(IoUringSocket& listener, int descriptor) noexcept {
  AcceptedSocket accepted{OwnDescriptor(descriptor), {}};
  int system_code = script_ != nullptr ? script_->FailPeer() : 0;
  if (system_code == 0) system_code = PeerEndpointOf(descriptor, accepted.peer);
  if (system_code != 0) {
    // Nothing is left to reset.
    static_cast<void>(::close(static_cast<int>(accepted.socket.Release())));
    return ProcessFailedAccept(listener, system_code);
  }
  IoResult result;
  result.accepted = &accepted;
  Finish(listener.accepts.PopFront(), result);
}

// A failure that is not the peer's uses up one event, so a lasting one does not make this spin.
void IoUringPort::ProcessFailedAccept(IoUringSocket& listener, int system_code) noexcept {
  switch (AcceptFaultOf(system_code)) {
    case AcceptFault::kNone:
      return;
    case AcceptFault::kPeer:
      return HandOutAborted(listener, system_code);
    case AcceptFault::kOther:
      return Finish(listener.accepts.PopFront(), ErrorFromErrno(system_code));
  }
}

void IoUringPort::HandOutAborted(IoUringSocket& listener, int system_code) noexcept {
  IoResult result;
  result.more = true;
  result.error = Error(ErrorCode::kConnectionAborted, system_code);
  ++handed_out_count_;
  CompleteEvent<IoUringEvent>(listener.accepts.Front().event, result);
}

// Bounded, so that one listener does not keep the others of this port waiting.
void IoUringPort::HandOutAccepted(IoUringSocket& listener) noexcept {
  for (std::size_t i = 0; i < kFullDispatch; ++i) {
    if (listener.accepts.IsEmpty() || listener.accepted.empty()) break;
    const int descriptor = listener.accepted.front();
    listener.accepted.pop_front();
    ProcessAccepted(listener, descriptor);
  }
  if (!listener.is_closed) SettleAccepts(listener);
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
