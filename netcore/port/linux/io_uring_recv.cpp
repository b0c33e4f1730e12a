// IoUringPort's recv streams.
//
//   SubmitRecv --> armed --- last word: data, or too many completions ---> ended ---+
//                  ^   |                                                            |
//                  |   +------- last word: no buffer ----------------> starved -----+
//                  +----------------------------- next Enter -----------------------+
//
//   armed --- PauseRecv: cancel ---> last word ---> paused --- ResumeRecv ---> `kept`, then armed
//
// What arrives between PauseRecv and the kernel's last word is copied into `kept`, so that a paused
// stream holds no buffer: at most what was in the completion queue, and so in the buffer ring, when
// the kernel took the cancel.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <new>
#include <utility>
#include <vector>

#include "netcore/base/assert.h"
#include "netcore/port/linux/io_uring_port.h"
#include "netcore/port/linux/linux_sockets.h"

namespace netcore::linux_port {
namespace {

// The operation has ended, the stream has not.
bool EndsRecvAlone(int system_code) noexcept {
  return system_code == ECANCELED || system_code == ENOBUFS || system_code == EINTR ||
         system_code == EAGAIN;
}

void EndStream(IoUringSocket& socket, Error error) noexcept {
  socket.has_end = true;
  socket.end_error = std::move(error);
}

// False when memory is short: the stream then ends with that, behind what is kept.
bool Keep(IoUringSocket& socket, std::span<const std::byte> data) noexcept {
  if (socket.has_end) return false;
  try {
    socket.kept.emplace_back(data.begin(), data.end());
    return true;
  } catch (const std::bad_alloc&) {
    EndStream(socket, ErrorCode::kNoBuffers);
    return false;
  }
}

// The system tells of a reset once. Where a send heard of it, recv sees the end of the stream; and
// of a send that had sent some bytes before, the kernel reports these alone.
bool IsReset(const IoUringSocket& socket) noexcept {
  if (socket.was_reset) return true;
  if (socket.send == nullptr) return false;
  std::uint8_t state = TCP_ESTABLISHED;  // the first byte of tcp_info
  socklen_t size = sizeof state;
  const int result = ::getsockopt(socket.descriptor, IPPROTO_TCP, TCP_INFO, &state, &size);
  return result == 0 && state == TCP_CLOSE;
}

bool HandsOut(const IoUringSocket& socket) noexcept {
  return !socket.is_paused && !socket.recv->is_cancelled && !socket.recv->is_ready;
}

}  // namespace

void IoUringPort::SubmitRecv(PortSocket& port_socket, IocpEvent& event) noexcept {
  IoUringSocket& socket = SocketOf(port_socket);
  NETCORE_ASSERT(socket.recv == nullptr);
  socket.recv = &Begin(socket, event);
  socket.is_paused = false;
  // A cancelled stream may have left something to this one.
  if (socket.HasKept()) {
    resumed_.PushBack(socket);
  } else {
    ArmRecv(socket, RecvForm::kMultishot);
  }
}

void IoUringPort::PauseRecv(PortSocket& port_socket, IocpEvent& event) noexcept {
  IoUringSocket& socket = SocketOf(port_socket);
  if (socket.recv == nullptr || &socket.recv->event != &event || socket.is_paused) return;
  socket.is_paused = true;
  WaitingRecv(socket).Unlink();
  DisarmRecv(socket);
}

void IoUringPort::ResumeRecv(PortSocket& port_socket, IocpEvent& event) noexcept {
  IoUringSocket& socket = SocketOf(port_socket);
  if (socket.recv == nullptr || &socket.recv->event != &event || !socket.is_paused) return;
  socket.is_paused = false;
  if (!HandsOut(socket)) return;
  if (socket.HasKept()) {
    resumed_.PushBack(socket);
  } else if (!socket.recv_state.is_armed) {
    ArmRecv(socket, RecvForm::kMultishot);
  }
}

void IoUringPort::CancelRecv(IoUringEvent& record) noexcept {
  IoUringSocket& socket = record.socket;
  if (socket.recv_state.is_armed) return DisarmRecv(socket);
  WaitingRecv(socket).Unlink();
  MakeReady(record, ErrorCode::kCancelled);
}

void IoUringPort::ArmRecv(IoUringSocket& socket, RecvForm form) noexcept {
  io_uring_sqe* const entry = ring_.NextEntry();
  if (entry == nullptr) return MakeReady(*socket.recv, ErrorCode::kNoBuffers);
  if (form == RecvForm::kMultishot) {
    io_uring_prep_recv_multishot(entry, socket.descriptor, nullptr, 0, 0);
  } else {
    io_uring_prep_recv(entry, socket.descriptor, nullptr, IoUringBuffers::kBufferSize, 0);
  }
  entry->flags |= IOSQE_BUFFER_SELECT;
  entry->buf_group = IoUringBuffers::kGroup;
  socket.recv_state.is_armed = true;
  socket.recv_state.generation = ++socket.generation;
  io_uring_sqe_set_data64(entry, UserData(socket, Operation::kRecv, socket.recv_state.generation));
}

void IoUringPort::DisarmRecv(IoUringSocket& socket) noexcept {
  MultishotState& state = socket.recv_state;
  if (!state.is_armed || std::exchange(state.is_cancelling, true)) return;
  AskCancel(socket, Operation::kRecv, state.generation);
}

void IoUringPort::ProcessRecv(IoUringSocket& socket, const Completion& completion) noexcept {
  NETCORE_ASSERT(socket.recv != nullptr);
  if (!completion.HasMore()) socket.recv_state = {};
  if (completion.HasBuffer()) {
    const auto size = static_cast<std::size_t>(completion.result > 0 ? completion.result : 0);
    const std::span<std::byte> data = buffers_.Take(completion.BufferId(), size);
    if (!data.empty()) ProcessReceived(socket, data);
    buffers_.Return(completion.BufferId());
  }
  if (completion.HasMore()) return;
  if (completion.result == -ENOBUFS) buffers_.RanOut();
  if (completion.result == 0) socket.waits_in_vain = true;
  const int result = completion.result == 0 && IsReset(socket) ? -ECONNRESET : completion.result;
  if (result <= 0 && !EndsRecvAlone(-result) && !socket.has_end)
    EndStream(socket, ErrorFromErrno(-result));
  SettleRecv(socket, result == -ENOBUFS);
}

void IoUringPort::ProcessReceived(IoUringSocket& socket, std::span<std::byte> data) noexcept {
  if (HandsOut(socket) && !socket.HasKept()) {
    HandOutData(socket, data);
  } else if (!Keep(socket, data)) {
    DisarmRecv(socket);
  }
}

// Decides what follows when the kernel has said its last word, or `kept` was handed out.
void IoUringPort::SettleRecv(IoUringSocket& socket, bool out_of_buffers) noexcept {
  IoUringEvent& record = *socket.recv;
  if (socket.recv_state.is_armed || record.is_ready) return;
  const bool ends = !socket.is_paused && socket.has_end && socket.kept.empty();
  if (ends) {
    socket.has_end = false;
    Finish(record, std::exchange(socket.end_error, Error()));
  } else if (record.is_cancelled) {
    Finish(record, ErrorCode::kCancelled);
  } else if (socket.is_paused) {
    return;
  } else if (socket.HasKept()) {
    resumed_.PushBack(socket);
  } else {
    (out_of_buffers ? starved_ : ended_).PushBack(socket);
  }
}

void IoUringPort::HandOutKept(IoUringSocket& socket) noexcept {
  while (!socket.kept.empty() && HandsOut(socket)) {
    std::vector<std::byte> data = std::move(socket.kept.front());
    socket.kept.pop_front();
    HandOutData(socket, data);
  }
  SettleRecv(socket, false);
}

void IoUringPort::HandOutData(IoUringSocket& socket, std::span<std::byte> data) noexcept {
  IoResult result;
  result.more = true;
  result.data = data;
  ++handed_out_count_;
  CompleteEvent<IoUringEvent>(socket.recv->event, result);
}

// A repeating recv may use up all buffers, and starve the others that are armed with it. So those
// that went without come first, each gets one buffer, and no more are armed in one Enter than there
// are buffers: none of them fails in vain. The rest has its turn in the next Enter, before which
// nobody waits.
void IoUringPort::ArmEnded() noexcept {
  for (std::size_t i = buffers_.AvailableCount(); i > 0 && !starved_.IsEmpty(); --i)
    ArmRecv(starved_.PopFront(), RecvForm::kOneBuffer);
  while (!ended_.IsEmpty()) ArmRecv(ended_.PopFront(), RecvForm::kMultishot);
}

}  // namespace netcore::linux_port
