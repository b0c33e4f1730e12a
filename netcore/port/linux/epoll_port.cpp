// The port's life, the rounds of Dispatch, and what all operations share.
#include "netcore/port/linux/epoll_port.h"

#include <fcntl.h>
#include <linux/time_types.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <span>
#include <utility>

#include "netcore/base/assert.h"
#include "netcore/port/linux/epoll_socket.h"
#include "netcore/port/linux/linux_sockets.h"
#include "netcore/port/linux/prefetch.h"
#include "netcore/port/linux/system_calls.h"

namespace netcore::linux_port {
namespace {

// Its address tells one thread from another, and is sooner asked for than the thread's id.
thread_local constinit char thread_mark = 0;

void CloseIfOpen(int descriptor) noexcept {
  if (descriptor >= 0) static_cast<void>(::close(descriptor));
}

}  // namespace

EpollPort::~EpollPort() {
  while (!open_.IsEmpty()) Close(open_.Front(), CloseMode::kAbort);
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
  open_.PushBack(*adopted);

  const int flags = ::fcntl(adopted->descriptor, F_GETFL);
  if ((flags & O_NONBLOCK) == 0)
    static_cast<void>(::fcntl(adopted->descriptor, F_SETFL, flags | O_NONBLOCK));
  SetOptions(adopted->descriptor, options);
  return adopted;
}

Endpoint EpollPort::LocalEndpoint(const PortSocket& socket) const {
  return LocalEndpointOf(static_cast<const Socket&>(socket).descriptor);
}

void EpollPort::ShutdownSend(PortSocket& socket) noexcept {
  AssertOwnThread();
  static_cast<void>(::shutdown(static_cast<Socket&>(socket).descriptor, SHUT_WR));
}

bool EpollPort::HasNews(IocpEvent& event) noexcept {
  if (!event.IsPending()) return false;
  const Record& record = RecordOf<Record>(event);
  if (record.ready || record.held) return true;
  const bool receives = event.Kind() == EventKind::kRecv || event.Kind() == EventKind::kAccept;
  return IsReadyNow(record.socket.descriptor, receives ? Direction::kIn : Direction::kOut);
}

void EpollPort::Cancel(IocpEvent& event) noexcept {
  AssertOwnThread();
  if (!event.IsPending()) return;
  Record& record = RecordOf<Record>(event);
  if (record.ready) return;
  Socket& socket = record.socket;
  switch (event.Kind()) {
    case EventKind::kAccept:
      record.Unlink();
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
  closed_.PushBack(socket);
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
  socket.owner = &event.Owner();
  return BeginEvent<Record>(event, event, socket);
}

void EpollPort::Queue(IocpEvent& event, Error error) noexcept {
  Record& record = RecordOf<Record>(event);
  record.error = std::move(error);
  record.ready = true;
  record.held = false;
  ready_.PushBack(record);
}

void EpollPort::Complete(IocpEvent& event, IoResult& result) noexcept {
  if (!result.more) --RecordOf<Record>(event).socket.pending;
  CompleteEvent<Record>(event, result);
}

bool EpollPort::UpdateInterest(Socket& socket) noexcept {
  const std::uint32_t wanted = socket.Wanted();
  return wanted == socket.interest || SetInterest(socket, wanted);
}

bool EpollPort::SetInterest(Socket& socket, std::uint32_t wanted) noexcept {
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

std::size_t EpollPort::HandOutReady() noexcept { return ready_.IsEmpty() ? 0 : HandOutQueued(); }

// What the owners queue meanwhile is for the next time.
std::size_t EpollPort::HandOutQueued() noexcept {
  IntrusiveList<Record, EventTag> ready;
  ready.TakeAll(ready_);
  std::size_t count = 0;
  while (!ready.IsEmpty()) {
    Record& record = ready.PopFront();
    const bool paused = record.event.Kind() == EventKind::kRecv && record.socket.recv_paused;
    if (paused && !(record.error == ErrorCode::kCancelled)) {
      record.ready = false;
      record.held = true;
      continue;
    }
    IoResult result;
    result.error = std::move(record.error);
    result.bytes = record.bytes;
    Complete(record.event, result);
    ++count;
  }
  return count;
}

std::size_t EpollPort::WaitForReadiness(TimePoint deadline) noexcept {
  const int ready = Wait(deadline);
  NETCORE_ASSERT(ready >= 0);
  is_alone_ = ready == 1;
  const std::span<const epoll_event> events(events_.data(), static_cast<std::size_t>(ready));
  std::size_t taken = 0;
  const auto waiting = [&](unsigned place) {
    return place < events.size() - taken ? SocketOf(events[taken + place]) : nullptr;
  };
  std::size_t count = 0;
  PrefetchFirst(waiting);
  while (taken < events.size()) {
    const epoll_event& event = events[taken++];
    PrefetchNext(waiting);
    if (Socket* const socket = SocketOf(event)) {
      if (!socket->closed)  // an earlier one may have closed it
        count += HandleReadiness(*socket, event.events);
    } else if (event.data.ptr == &wake_) {
      DrainWake();
    } else {
      timer_.Clear();
    }
  }
  is_alone_ = false;
  return count;
}

// Null for what is no socket's.
EpollPort::Socket* EpollPort::SocketOf(const epoll_event& event) const noexcept {
  void* const what = event.data.ptr;
  return what == &wake_ || what == &timer_ ? nullptr : static_cast<Socket*>(what);
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
  if (timeout == Duration::zero()) return CallEpollWait(epoll_, events_, 0);
  if (timeout == Duration::max()) return CallEpollWait(epoll_, events_, -1);
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
  return CallEpollWait(epoll_, events_, bounded);
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
  if ((readiness & (EPOLLIN | kFault)) != 0)
    count += socket.accepts.IsEmpty() ? HandleRecv(socket, readiness) : HandleAccepts(socket);
  if ((readiness & (EPOLLOUT | kFault)) != 0) count += HandleConnect(socket) + HandleSend(socket);
  if (!socket.closed) DropInterest(socket);
  return count;
}

void EpollPort::FreeClosed() noexcept {
  while (!closed_.IsEmpty()) delete &closed_.PopFront();
}

}  // namespace netcore::linux_port
