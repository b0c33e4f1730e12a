// EpollPort's sends and connects.
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <utility>

#include "netcore/base/assert.h"
#include "netcore/port/linux/epoll_port.h"
#include "netcore/port/linux/epoll_socket.h"
#include "netcore/port/linux/linux_sockets.h"
#include "netcore/port/linux/system_calls.h"

namespace netcore::linux_port {
namespace {

constexpr int kSendFlags = MSG_NOSIGNAL | MSG_DONTWAIT;

std::span<const std::byte> BytesOf(const iovec& slice) noexcept {
  return {static_cast<const std::byte*>(slice.iov_base), slice.iov_len};
}

// Not EPIPE: that is our own shutdown, or what was told before.
bool IsConnectionLoss(int send_error) noexcept {
  return send_error == ECONNRESET || send_error == ETIMEDOUT || send_error == EHOSTUNREACH ||
         send_error == ENETUNREACH;
}

// TCP may connect a loopback socket to itself, when the ephemeral port it is given is the one it
// asks for (simultaneous open, RFC 9293 3.5). Nobody listens there.
bool IsConnectedToItself(int descriptor, const Endpoint& peer) noexcept {
  return LocalEndpointOf(descriptor) == peer;
}

Error ConnectOutcome(int descriptor) noexcept {
  int code = 0;
  socklen_t length = sizeof code;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) != 0) code = errno;
  if (code != 0) return ErrorFromErrno(code);
  Endpoint peer;
  if (PeerEndpointOf(descriptor, peer) != 0) return ErrorCode::kConnectionReset;  // was up, is gone
  if (IsConnectedToItself(descriptor, peer)) return ErrorCode::kConnectionRefused;
  return {};
}

}  // namespace

void EpollPort::SubmitConnect(PortSocket& port_socket, const Endpoint& peer,
                              IocpEvent& event) noexcept {
  auto& socket = static_cast<Socket&>(port_socket);
  Begin(socket, event);
  if (peer.GetFamily() == Endpoint::Family::kNone) return Queue(event, ErrorCode::kInvalidArgument);

  sockaddr_storage address;
  const socklen_t length = ToSockaddr(peer, address);
  if (::connect(socket.descriptor, reinterpret_cast<const sockaddr*>(&address), length) == 0)
    return Queue(event, ConnectOutcome(socket.descriptor));
  // After EINTR the attempt goes on by itself, as after EINPROGRESS (connect(2)).
  if (errno != EINPROGRESS && errno != EINTR) return Queue(event, ErrorFromErrno(errno));
  socket.connect = &event;
  if (UpdateInterest(socket)) return;
  const int code = errno;
  socket.connect = nullptr;
  Queue(event, ErrorFromErrno(code));
}

std::size_t EpollPort::HandleConnect(Socket& socket) noexcept {
  if (socket.connect == nullptr) return 0;
  IoResult result;
  result.error = ConnectOutcome(socket.descriptor);
  Complete(*std::exchange(socket.connect, nullptr), result);
  return 1;
}

void EpollPort::SubmitSend(PortSocket& port_socket, std::span<const SendSlice> slices,
                           IocpEvent& event) noexcept {
  auto& socket = static_cast<Socket&>(port_socket);
  NETCORE_ASSERT(socket.send == nullptr && !slices.empty() && slices.size() <= kMaxSendSlices);
  Record& record = Begin(socket, event);
  std::array<iovec, kMaxSendSlices> vector;
  std::size_t total = 0;
  for (std::size_t i = 0; i < slices.size(); ++i) {
    total += slices[i].size();
    // The system only reads, but its iovec has no const.
    vector[i] = {const_cast<std::byte*>(slices[i].data()), slices[i].size()};
  }
  NETCORE_ASSERT(total > 0 && total <= kMaxSendBytes);

  // Mostly all of it leaves at once, and there is nothing to remember.
  const std::span<iovec> waiting(vector.data(), slices.size());
  if (TrySend(socket, record, waiting) || record.bytes == total) {
    return Queue(event, std::move(record.error));
  }
  record.unsent = NewUnsent(waiting, record.bytes);
  if (record.unsent == nullptr) return Queue(event, ErrorCode::kNoBuffers);
  socket.send = &event;
  if (UpdateInterest(socket)) return;
  const int code = errno;
  socket.send = nullptr;
  Recycle(record);
  Queue(event, ErrorFromErrno(code));
}

std::size_t EpollPort::SendAtOnce(PortSocket& port_socket,
                                  std::span<const std::byte> bytes) noexcept {
  AssertOwnThread();
  auto& socket = static_cast<Socket&>(port_socket);
  NETCORE_ASSERT(socket.send == nullptr && !bytes.empty());
  const ssize_t sent =
      CallSend(socket.descriptor, bytes.first(std::min(bytes.size(), kMaxSendBytes)), kSendFlags);
  if (sent > 0) return static_cast<std::size_t>(sent);
  NoteFailedSend(socket);
  return 0;
}

// The system tells a reset once, to a send or to a recv, and then calls it the end of the stream.
void EpollPort::NoteFailedSend(Socket& socket) noexcept {
  if (IsConnectionLoss(errno)) socket.send_error = errno;
}

// As sendmsg(2).
ssize_t EpollPort::Send(Socket& socket, std::span<iovec> slices) noexcept {
  msghdr message{};
  message.msg_iov = slices.data();
  message.msg_iovlen = slices.size();
  ssize_t sent;
  do {
    sent = slices.size() == 1 ? CallSend(socket.descriptor, BytesOf(slices[0]), kSendFlags)
                              : CallSendmsg(socket.descriptor, message, kSendFlags);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) NoteFailedSend(socket);
  return sent;
}

// True when the send has failed, and record.error tells why. What left is added to record.bytes.
bool EpollPort::TrySend(Socket& socket, Record& record, std::span<iovec> slices) noexcept {
  const ssize_t sent = Send(socket, slices);
  if (sent >= 0) {
    record.bytes += static_cast<std::size_t>(sent);
    return false;
  }
  if (errno == EAGAIN) return false;
  const bool was_told_before = errno == EPIPE && socket.send_error != 0;
  record.error = ErrorFromErrno(was_told_before ? socket.send_error : errno);
  return true;
}

// What is left of `slices` behind their first `sent` bytes; null when memory is short.
EpollPort::Unsent* EpollPort::NewUnsent(std::span<const iovec> slices, std::size_t sent) noexcept {
  Unsent* unsent = spare_unsent_;
  if (unsent != nullptr) {
    --spare_unsent_count_;
    spare_unsent_ = unsent->next_spare;
  } else {
    unsent = new (std::nothrow) Unsent;
    if (unsent == nullptr) return nullptr;
  }
  std::copy(slices.begin(), slices.end(), unsent->slices.begin());
  unsent->first = 0;
  unsent->end = slices.size();
  unsent->Consume(sent);
  return unsent;
}

void EpollPort::Recycle(Record& record) noexcept {
  Unsent* unsent = std::exchange(record.unsent, nullptr);
  if (spare_unsent_count_ == kMaxSpareUnsent) {
    delete unsent;
    return;
  }
  ++spare_unsent_count_;
  unsent->next_spare = std::exchange(spare_unsent_, unsent);
}

std::size_t EpollPort::HandleSend(Socket& socket) noexcept {
  if (socket.send == nullptr) return 0;
  Record& record = RecordOf<Record>(*socket.send);
  Unsent& unsent = *record.unsent;
  const std::size_t before = record.bytes;
  const bool failed = TrySend(socket, record, unsent.Waiting());
  unsent.Consume(record.bytes - before);
  if (!failed && !unsent.Empty()) return 0;
  Recycle(record);
  IoResult result;
  result.error = std::move(record.error);
  result.bytes = record.bytes;
  Complete(*std::exchange(socket.send, nullptr), result);
  return 1;
}

}  // namespace netcore::linux_port
