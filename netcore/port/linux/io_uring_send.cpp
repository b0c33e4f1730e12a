// IoUringPort's sends and connects.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "netcore/base/assert.h"
#include "netcore/port/linux/io_uring_port.h"
#include "netcore/port/linux/linux_sockets.h"
#include "netcore/port/linux/system_calls.h"

namespace netcore::linux_port {
namespace {

// With MSG_WAITALL the kernel itself goes on after a short send, mostly. For a peer that has closed
// its write side it would not wait but turn: see IoUringRoom.
int SendFlags(const IoUringSocket& socket) noexcept {
  return MSG_NOSIGNAL | (socket.waits_in_vain ? MSG_DONTWAIT : MSG_WAITALL);
}

iovec ToIovec(SendSlice slice) noexcept {
  return {const_cast<std::byte*>(slice.data()), slice.size()};
}

// Takes what was sent off the front of `slice`; returns how much of `sent` is left over.
std::size_t Advance(iovec& slice, std::size_t sent) noexcept {
  const std::size_t here = sent < slice.iov_len ? sent : slice.iov_len;
  slice.iov_base = static_cast<std::byte*>(slice.iov_base) + here;
  slice.iov_len -= here;
  return sent - here;
}

// True when something is left to send.
bool Advance(IoUringEvent& record, std::size_t sent) noexcept {
  record.sent_bytes += static_cast<std::uint32_t>(sent);
  if (record.vector == nullptr) {
    Advance(record.slice, sent);
    return record.slice.iov_len > 0;
  }
  msghdr& header = record.vector->header;
  while (header.msg_iovlen > 0) {
    sent = Advance(*header.msg_iov, sent);
    if (header.msg_iov->iov_len > 0) return true;
    ++header.msg_iov;
    --header.msg_iovlen;
  }
  return false;
}

bool IsTransient(int system_code) noexcept { return system_code == EINTR || system_code == EAGAIN; }

}  // namespace

void IoUringPort::SubmitSend(PortSocket& port_socket, std::span<const SendSlice> slices,
                             IocpEvent& event) noexcept {
  IoUringSocket& socket = SocketOf(port_socket);
  NETCORE_ASSERT(socket.send == nullptr && !slices.empty() && slices.size() <= kMaxSendSlices);
  IoUringEvent& record = Begin(socket, event);
  socket.send = &record;
  if (slices.size() == 1) {
    record.slice = ToIovec(slices[0]);
  } else {
    record.vector = NewVector();
    if (record.vector == nullptr) return MakeReady(record, ErrorCode::kNoBuffers);
    for (std::size_t i = 0; i < slices.size(); ++i) record.vector->slices[i] = ToIovec(slices[i]);
    record.vector->header.msg_iov = record.vector->slices.data();
    record.vector->header.msg_iovlen = slices.size();
  }
  PrepareSend(socket);
}

std::size_t IoUringPort::SendAtOnce(PortSocket& port_socket,
                                    std::span<const std::byte> bytes) noexcept {
  IoUringSocket& socket = SocketOf(port_socket);
  NETCORE_ASSERT(socket.send == nullptr && !bytes.empty());
  bytes = bytes.first(std::min(bytes.size(), kMaxSendBytes));
  constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
  const ssize_t sent = CallSend(socket.descriptor, bytes, kFlags);
  if (sent < 0 && errno == ECONNRESET) socket.was_reset = true;
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

void IoUringPort::PrepareSend(IoUringSocket& socket) noexcept {
  IoUringEvent& record = *socket.send;
  io_uring_sqe* const entry = ring_.NextEntry();
  if (entry == nullptr) return MakeReady(record, ErrorCode::kNoBuffers);
  if (record.vector == nullptr) {
    io_uring_prep_send(entry, socket.descriptor, record.slice.iov_base, record.slice.iov_len,
                       SendFlags(socket));
  } else {
    io_uring_prep_sendmsg(entry, socket.descriptor, &record.vector->header,
                          static_cast<unsigned>(SendFlags(socket)));
  }
  record.generation = ++socket.generation;
  io_uring_sqe_set_data64(entry, UserData(socket, Operation::kSend, record.generation));
}

void IoUringPort::ProcessSend(IoUringSocket& socket, const Completion& completion) noexcept {
  NETCORE_ASSERT(socket.send != nullptr);
  IoUringEvent& record = *socket.send;
  const int result = completion.result;
  if (result > 0 && !Advance(record, static_cast<std::size_t>(result))) {
    Finish(record, Error());
  } else if (record.is_cancelled && (result > 0 || IsTransient(-result))) {
    Finish(record, ErrorCode::kCancelled);
  } else if (result == -EAGAIN) {
    AwaitRoom(socket);
  } else if (result > 0 || IsTransient(-result)) {
    PrepareSend(socket);
  } else {
    if (result == -ECONNRESET) socket.was_reset = true;
    Finish(record, ErrorFromErrno(result < 0 ? -result : EPIPE));
  }
}

// The kernel says EAGAIN only when it has given up waiting: mostly because the peer has closed its
// write side, whether recv has seen that yet or not.
void IoUringPort::AwaitRoom(IoUringSocket& socket) noexcept {
  socket.waits_in_vain = true;
  if (!room_.Await(socket)) Finish(*socket.send, ErrorCode::kNoBuffers);
}

void IoUringPort::ProcessRoom(const Completion& completion) noexcept {
  if (!completion.HasMore()) is_room_armed_ = false;
  while (IoUringSocket* const socket = room_.Take()) PrepareSend(*socket);
}

void IoUringPort::CancelSend(IoUringEvent& record) noexcept {
  if (!record.socket.awaits_room) {
    return AskCancel(record.socket, Operation::kSend, record.generation);
  }
  room_.Forget(record.socket);
  MakeReady(record, ErrorCode::kCancelled);
}

void IoUringPort::SubmitConnect(PortSocket& port_socket, const Endpoint& peer,
                                IocpEvent& event) noexcept {
  IoUringSocket& socket = SocketOf(port_socket);
  NETCORE_ASSERT(socket.connect == nullptr);
  IoUringEvent& record = Begin(socket, event);
  socket.connect = &record;
  if (peer.GetFamily() == Endpoint::Family::kNone)
    return MakeReady(record, ErrorCode::kInvalidArgument);
  socket.connect_address.reset(new (std::nothrow) sockaddr_storage);
  io_uring_sqe* const entry = socket.connect_address != nullptr ? ring_.NextEntry() : nullptr;
  if (entry == nullptr) return MakeReady(record, ErrorCode::kNoBuffers);
  const socklen_t length = ToSockaddr(peer, *socket.connect_address);
  io_uring_prep_connect(entry, socket.descriptor,
                        reinterpret_cast<const sockaddr*>(socket.connect_address.get()), length);
  record.generation = ++socket.generation;
  io_uring_sqe_set_data64(entry, UserData(socket, Operation::kConnect, record.generation));
}

void IoUringPort::ProcessConnect(IoUringSocket& socket, const Completion& completion) noexcept {
  NETCORE_ASSERT(socket.connect != nullptr);
  Error error = ErrorFromErrno(-completion.result);
  if (!error) {
    // With nobody listening on a port of the ephemeral range, a socket can meet itself there (TCP's
    // simultaneous open, RFC 9293 3.5).
    Endpoint peer;
    if (PeerEndpointOf(socket.descriptor, peer) != 0) {
      error = ErrorCode::kConnectionReset;
    } else if (peer == LocalEndpointOf(socket.descriptor)) {
      error = ErrorCode::kConnectionRefused;
    }
  }
  Finish(*socket.connect, std::move(error));
}

SendVector* IoUringPort::NewVector() noexcept {
  if (spare_vectors_ == nullptr) return new (std::nothrow) SendVector;
  SendVector* const vector = spare_vectors_;
  spare_vectors_ = vector->next_free;
  --spare_vector_count_;
  return vector;
}

void IoUringPort::RecycleVector(IoUringEvent& record) noexcept {
  SendVector* const vector = std::exchange(record.vector, nullptr);
  if (vector == nullptr) return;
  if (spare_vector_count_ >= kMaxSpareVectors) {
    delete vector;
    return;
  }
  vector->next_free = spare_vectors_;
  spare_vectors_ = vector;
  ++spare_vector_count_;
}

}  // namespace netcore::linux_port
