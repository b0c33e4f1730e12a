// EpollPort: completions made of readiness.
#include "netcore/port/linux/epoll_port.h"

#include <fcntl.h>
#include <linux/time_types.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <new>
#include <utility>

#include "netcore/base/assert.h"
#include "netcore/port/linux/linux_sockets.h"

namespace netcore::linux_port {

/// A slot holds an event while it waits for readiness, and no longer: not in the ready queue.
struct EpollPort::Socket : PortSocket {
  int descriptor = -1;
  std::uint32_t interest = 0;  // what epoll watches; 0: the descriptor is not registered
  int pending = 0;             // events between submit and final completion
  int send_error = 0;          // what a failed send was told and the recv stream was not yet
  bool recv_paused = false;
  bool closed = false;
  IocpEvent* recv = nullptr;
  IocpEvent* send = nullptr;
  IocpEvent* connect = nullptr;
  IocpEvent* first_accept = nullptr;
  IocpEvent* last_accept = nullptr;
  Socket* previous = nullptr;  // the open sockets, or next alone: the closed ones
  Socket* next = nullptr;

  std::uint32_t Wanted() const noexcept {
    const bool in = first_accept != nullptr || (recv != nullptr && !recv_paused);
    const bool out = send != nullptr || connect != nullptr;
    return (in ? std::uint32_t{EPOLLIN} : 0U) | (out ? std::uint32_t{EPOLLOUT} : 0U);
  }
};

struct EpollPort::Record {
  Socket* socket;
  IocpEvent* previous = nullptr;  // the listener's accepts, or next alone: the ready queue
  IocpEvent* next = nullptr;
  Unsent* unsent = nullptr;
  std::size_t bytes = 0;
  Error error{};
  bool ready = false;  // the result stands and is in the ready queue
  bool held = false;   // the result stands; the stream's pause keeps it back
};

struct EpollPort::Unsent {
  std::array<iovec, kMaxSendSlices> slices;  // those from `first` on
  std::size_t first = 0;
  std::size_t end = 0;
  Unsent* next_spare = nullptr;

  bool Empty() const noexcept { return first == end; }
  std::span<iovec> Waiting() noexcept { return std::span(slices).subspan(first, end - first); }

  void Consume(std::size_t bytes) noexcept {
    while (first < end && bytes >= slices[first].iov_len) bytes -= slices[first++].iov_len;
    if (bytes == 0) return;
    slices[first].iov_base = static_cast<std::byte*>(slices[first].iov_base) + bytes;
    slices[first].iov_len -= bytes;
  }
};

namespace {

// Its address tells one thread from another, and is sooner asked for than the thread's id.
thread_local constinit char thread_mark = 0;

constexpr std::size_t kRecvBufferBytes = CompletionPort::kMaxRecvBytes;

// The connection that was next in line is gone, and the call has used it up; the one behind it may
// be fine (accept(2), "Error handling").
bool IsPeersFault(int accept_error) noexcept {
  switch (accept_error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
      return true;
    default:
      return false;
  }
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
  if (!PeerEndpointOf(descriptor, peer)) return ErrorCode::kConnectionReset;  // was up, is gone
  if (IsConnectedToItself(descriptor, peer)) return ErrorCode::kConnectionRefused;
  return {};
}

void CloseIfOpen(int descriptor) noexcept {
  if (descriptor >= 0) static_cast<void>(::close(descriptor));
}

}  // namespace

EpollPort::EpollPort() : recv_buffer_(new std::byte[kRecvBufferBytes]) {}

EpollPort::~EpollPort() {
  while (open_ != nullptr) Close(*open_, CloseMode::kAbort);
  FreeClosed();
  while (spare_unsent_ != nullptr) delete std::exchange(spare_unsent_, spare_unsent_->next_spare);
  CloseIfOpen(wake_);
  CloseIfOpen(epoll_);
}

Error EpollPort::Open() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return ErrorFromErrno(errno, "epoll_create1");
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_ < 0) return ErrorFromErrno(errno, "eventfd");
  if (Error error = timer_.Create()) return error;
  if (!Watch(wake_, &wake_) || !Watch(timer_.Descriptor(), &timer_))
    return ErrorFromErrno(errno, "epoll_ctl");
  return {};
}

Error EpollPort::AttachThread() {
  NETCORE_ASSERT(epoll_ >= 0 && thread_ == nullptr);
  thread_ = &thread_mark;
  return {};
}

TimePoint EpollPort::Now() const noexcept { return std::chrono::steady_clock::now(); }

PortSocket* EpollPort::Adopt(OwnedSocket&& socket, const SocketOptions& options) {
  AssertOwnThread();
  NETCORE_ASSERT(socket);
  auto* adopted = new Socket;
  adopted->descriptor = static_cast<int>(socket.Release());
  adopted->next = open_;
  if (open_ != nullptr) open_->previous = adopted;
  open_ = adopted;

  const int flags = ::fcntl(adopted->descriptor, F_GETFL);
  if ((flags & O_NONBLOCK) == 0)
    static_cast<void>(::fcntl(adopted->descriptor, F_SETFL, flags | O_NONBLOCK));
  SetOptions(adopted->descriptor, options);
  return adopted;
}

Endpoint EpollPort::LocalEndpoint(const PortSocket& socket) const {
  return LocalEndpointOf(static_cast<const Socket&>(socket).descriptor);
}

void EpollPort::SubmitAccept(PortSocket& listener, IocpEvent& event) noexcept {
  auto& socket = static_cast<Socket&>(listener);
  Record& record = Begin(socket, event);
  record.previous = socket.last_accept;
  if (socket.last_accept != nullptr)
    RecordOf<Record>(*socket.last_accept).next = &event;
  else
    socket.first_accept = &event;
  socket.last_accept = &event;
  if (UpdateInterest(socket)) return;
  const int code = errno;
  TakeAccept(socket, event);
  Queue(event, ErrorFromErrno(code));
}

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

void EpollPort::SubmitRecv(PortSocket& port_socket, IocpEvent& event) noexcept {
  auto& socket = static_cast<Socket&>(port_socket);
  NETCORE_ASSERT(socket.recv == nullptr);
  Begin(socket, event);
  socket.recv = &event;
  socket.recv_paused = false;
  if (UpdateInterest(socket)) return;
  const int code = errno;
  socket.recv = nullptr;
  Queue(event, ErrorFromErrno(code));
}

void EpollPort::PauseRecv(PortSocket& port_socket, IocpEvent& event) noexcept {
  AssertOwnThread();
  auto& socket = static_cast<Socket&>(port_socket);
  if (!event.IsPending() || socket.recv_paused) return;
  socket.recv_paused = true;
  if (socket.recv != nullptr) DropInterest(socket);
}

void EpollPort::ResumeRecv(PortSocket& port_socket, IocpEvent& event) noexcept {
  AssertOwnThread();
  auto& socket = static_cast<Socket&>(port_socket);
  if (!event.IsPending() || !socket.recv_paused) return;
  socket.recv_paused = false;
  Record& record = RecordOf<Record>(event);
  if (record.held) return Queue(event, std::move(record.error));
  if (socket.recv == nullptr || UpdateInterest(socket)) return;
  const int code = errno;
  socket.recv = nullptr;
  Queue(event, ErrorFromErrno(code));
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

std::size_t EpollPort::SubmitSendAtOnce(PortSocket& port_socket, std::span<const std::byte> bytes,
                                        IocpEvent& event) noexcept {
  auto& socket = static_cast<Socket&>(port_socket);
  NETCORE_ASSERT(socket.send == nullptr && !bytes.empty());
  bytes = bytes.first(std::min(bytes.size(), kMaxSendBytes));
  iovec slice{const_cast<std::byte*>(bytes.data()), bytes.size()};
  const ssize_t sent = Send(socket, std::span(&slice, 1));
  if (sent <= 0) return 0;
  Begin(socket, event).bytes = static_cast<std::size_t>(sent);
  Queue(event, {});
  return static_cast<std::size_t>(sent);
}

void EpollPort::ShutdownSend(PortSocket& socket) noexcept {
  AssertOwnThread();
  static_cast<void>(::shutdown(static_cast<Socket&>(socket).descriptor, SHUT_WR));
}

void EpollPort::Cancel(IocpEvent& event) noexcept {
  AssertOwnThread();
  if (!event.IsPending()) return;
  Record& record = RecordOf<Record>(event);
  if (record.ready) return;
  Socket& socket = *record.socket;
  switch (event.Kind()) {
    case EventKind::kAccept:
      TakeAccept(socket, event);
      break;
    case EventKind::kConnect:
      socket.connect = nullptr;
      break;
    case EventKind::kRecv:
      socket.recv = nullptr;
      break;
    case EventKind::kSend:
      socket.send = nullptr;
      Recycle(record);
      break;
  }
  DropInterest(socket);
  Queue(event, ErrorCode::kCancelled);
}

void EpollPort::Close(PortSocket& port_socket, CloseMode mode) noexcept {
  AssertOwnThread();
  auto& socket = static_cast<Socket&>(port_socket);
  NETCORE_ASSERT(!socket.closed && socket.pending == 0);
  DropInterest(socket);
  CloseDescriptor(socket.descriptor, mode);
  socket.closed = true;

  if (socket.next != nullptr) socket.next->previous = socket.previous;
  if (socket.previous != nullptr)
    socket.previous->next = socket.next;
  else
    open_ = socket.next;
  socket.next = std::exchange(closed_, &socket);
}

void EpollPort::Wake() noexcept {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the wake-up is in it.
  while (::write(wake_, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

std::size_t EpollPort::DispatchUntil(TimePoint deadline) noexcept {
  AssertOwnThread();
  std::size_t count = HandOutReady();
  // Whoever lives on ready results alone (a send that always succeeds at once) starves no other.
  if (count == 0 || ++unpolled_ > kMaxUnpolled) {
    unpolled_ = 0;
    count += WaitForReadiness(count == 0 ? deadline : kNoWait);
  }
  FreeClosed();
  return count;
}

void EpollPort::AssertOwnThread() const noexcept { NETCORE_ASSERT(thread_ == &thread_mark); }

EpollPort::Record& EpollPort::Begin(Socket& socket, IocpEvent& event) noexcept {
  AssertOwnThread();
  NETCORE_ASSERT(!socket.closed && !event.IsPending());
  ++socket.pending;
  return BeginEvent<Record>(event, &socket);
}

void EpollPort::Queue(IocpEvent& event, Error error) noexcept {
  Record& record = RecordOf<Record>(event);
  record.error = std::move(error);
  record.ready = true;
  record.held = false;
  record.next = nullptr;
  if (last_ready_ != nullptr)
    RecordOf<Record>(*last_ready_).next = &event;
  else
    first_ready_ = &event;
  last_ready_ = &event;
}

void EpollPort::Complete(IocpEvent& event, IoResult& result) noexcept {
  if (!result.more) --RecordOf<Record>(event).socket->pending;
  CompleteEvent<Record>(event, result);
}

bool EpollPort::UpdateInterest(Socket& socket) noexcept {
  const std::uint32_t wanted = socket.Wanted();
  if (wanted == socket.interest) return true;
  // A registered descriptor reports EPOLLERR and EPOLLHUP even when nothing is wanted, again and
  // again; so one that waits for nothing is taken out.
  const int operation = socket.interest == 0 ? EPOLL_CTL_ADD
                        : wanted == 0        ? EPOLL_CTL_DEL
                                             : EPOLL_CTL_MOD;
  epoll_event watch{};
  watch.events = wanted;
  watch.data.ptr = &socket;
  if (::epoll_ctl(epoll_, operation, socket.descriptor, &watch) != 0) return false;
  socket.interest = wanted;
  return true;
}

// Only an addition makes epoll allocate, so this is never refused.
void EpollPort::DropInterest(Socket& socket) noexcept {
  const bool updated = UpdateInterest(socket);
  NETCORE_ASSERT(updated);
}

void EpollPort::TakeAccept(Socket& listener, IocpEvent& event) noexcept {
  const Record& record = RecordOf<Record>(event);
  if (record.previous != nullptr)
    RecordOf<Record>(*record.previous).next = record.next;
  else
    listener.first_accept = record.next;
  if (record.next != nullptr)
    RecordOf<Record>(*record.next).previous = record.previous;
  else
    listener.last_accept = record.previous;
}

// As sendmsg(2).
ssize_t EpollPort::Send(Socket& socket, std::span<iovec> slices) noexcept {
  constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
  msghdr message{};
  message.msg_iov = slices.data();
  message.msg_iovlen = slices.size();
  ssize_t sent;
  do {
    sent = slices.size() == 1
               ? ::send(socket.descriptor, slices[0].iov_base, slices[0].iov_len, kFlags)
               : ::sendmsg(socket.descriptor, &message, kFlags);
  } while (sent < 0 && errno == EINTR);
  // The system tells a reset once, to a send or to a recv, and then calls it the end of the stream.
  if (sent < 0 && IsConnectionLoss(errno)) socket.send_error = errno;
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

// What the owners queue meanwhile is for the next time.
std::size_t EpollPort::HandOutReady() noexcept {
  IocpEvent* event = std::exchange(first_ready_, nullptr);
  last_ready_ = nullptr;
  std::size_t count = 0;
  while (event != nullptr) {
    Record& record = RecordOf<Record>(*event);
    IocpEvent& current = *std::exchange(event, record.next);
    const bool paused = current.Kind() == EventKind::kRecv && record.socket->recv_paused;
    if (paused && !(record.error == ErrorCode::kCancelled)) {
      record.ready = false;
      record.held = true;
      continue;
    }
    IoResult result;
    result.error = std::move(record.error);
    result.bytes = record.bytes;
    Complete(current, result);
    ++count;
  }
  return count;
}

std::size_t EpollPort::WaitForReadiness(TimePoint deadline) noexcept {
  const int ready = Wait(deadline);
  NETCORE_ASSERT(ready >= 0);
  is_alone_ = ready == 1;
  std::size_t count = 0;
  for (int i = 0; i < ready; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    if (event.data.ptr == &wake_) {
      DrainWake();
    } else if (event.data.ptr == &timer_) {
      timer_.Clear();
    } else if (auto& socket = *static_cast<Socket*>(event.data.ptr); !socket.closed) {
      count += HandleReadiness(socket, event.events);  // unless an earlier one has closed it
    }
  }
  is_alone_ = false;
  return count;
}

// Of a descriptor that is no socket's.
bool EpollPort::Watch(int descriptor, void* what) noexcept {
  epoll_event watch{};
  watch.events = EPOLLIN;
  watch.data.ptr = what;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &watch) == 0;
}

bool EpollPort::IsTimerAlone(int ready) const noexcept {
  return ready == 1 && events_[0].data.ptr == &timer_;
}

int EpollPort::Wait(TimePoint deadline) noexcept {
  for (;;) {
    const Duration left = timer_.LeftUntil(deadline);
    const int ready = WaitOnce(left);
    if (ready < 0 ? errno != EINTR : !IsTimerAlone(ready)) return ready;
    if (ready > 0) timer_.Clear();
    if (left == Duration::zero()) return 0;
  }
}

int EpollPort::WaitOnce(Duration timeout) noexcept {
  if (timeout == Duration::zero()) return ::epoll_wait(epoll_, events_.data(), kMaxEvents, 0);
  if (timeout == Duration::max()) return ::epoll_wait(epoll_, events_.data(), kMaxEvents, -1);
#ifdef SYS_epoll_pwait2
  if (has_pwait2_) {  // Linux 5.11 and newer, to the nanosecond
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
    __kernel_timespec limit{};
    limit.tv_sec = seconds.count();
    limit.tv_nsec = (timeout - seconds).count();
    const long ready =
        ::syscall(SYS_epoll_pwait2, epoll_, events_.data(), kMaxEvents, &limit, nullptr, 0);
    if (ready >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(ready);
    has_pwait2_ = false;
  }
#endif
  // Rounded up: a deadline that is not there yet must not make the caller spin.
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
  const auto bounded = static_cast<int>(std::min<decltype(milliseconds)>(milliseconds, INT_MAX));
  return ::epoll_wait(epoll_, events_.data(), kMaxEvents, bounded);
}

void EpollPort::DrainWake() noexcept {
  std::uint64_t count;
  while (::read(wake_, &count, sizeof count) < 0 && errno == EINTR) {
  }
}

// EPOLLERR and EPOLLHUP come unasked, and what they mean is for the waiting operation to find out.
std::size_t EpollPort::HandleReadiness(Socket& socket, std::uint32_t readiness) noexcept {
  constexpr std::uint32_t kFault = EPOLLERR | EPOLLHUP;
  std::size_t count = 0;
  if ((readiness & (EPOLLIN | kFault)) != 0) count += HandleAccepts(socket) + HandleRecv(socket);
  if ((readiness & (EPOLLOUT | kFault)) != 0) count += HandleConnect(socket) + HandleSend(socket);
  if (!socket.closed) DropInterest(socket);
  return count;
}

std::size_t EpollPort::HandleAccepts(Socket& listener) noexcept {
  std::size_t count = 0;
  for (int i = 0; i < kMaxAccepts && listener.first_accept != nullptr; ++i) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    const int descriptor = ::accept4(listener.descriptor, reinterpret_cast<sockaddr*>(&address),
                                     &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0 && errno == EAGAIN) break;
    if (descriptor < 0 && IsPeersFault(errno)) continue;

    IoResult result;
    if (descriptor < 0) {
      result.error = ErrorFromErrno(errno);
    } else {
      result.socket = OwnDescriptor(descriptor);
      result.peer = FromSockaddr(address);
    }
    IocpEvent& event = *listener.first_accept;
    TakeAccept(listener, event);
    Complete(event, result);
    ++count;
    if (descriptor < 0) break;  // out of descriptors, mostly: the others need not hear it at once
  }
  return count;
}

std::size_t EpollPort::HandleRecv(Socket& socket) noexcept {
  if (socket.recv == nullptr || socket.recv_paused) return 0;
  ssize_t received;
  do {
    received = ::recv(socket.descriptor, recv_buffer_.get(), kRecvBufferBytes, MSG_DONTWAIT);
  } while (received < 0 && errno == EINTR);
  if (received < 0 && errno == EAGAIN) return 0;

  IoResult result;
  IocpEvent& event = *socket.recv;
  if (received > 0) {
    result.more = true;
    result.data = {recv_buffer_.get(), static_cast<std::size_t>(received)};
  } else {
    result.error = ErrorFromErrno(received < 0 ? errno : socket.send_error);
    socket.recv = nullptr;
  }
  Complete(event, result);
  return 1;
}

std::size_t EpollPort::HandleConnect(Socket& socket) noexcept {
  if (socket.connect == nullptr) return 0;
  IoResult result;
  result.error = ConnectOutcome(socket.descriptor);
  Complete(*std::exchange(socket.connect, nullptr), result);
  return 1;
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

void EpollPort::FreeClosed() noexcept {
  while (closed_ != nullptr) delete std::exchange(closed_, closed_->next);
}

}  // namespace netcore::linux_port
