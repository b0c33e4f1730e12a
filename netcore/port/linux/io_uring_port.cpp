// The port's life, the rounds of Dispatch, and what all operations share.
#include "netcore/port/linux/io_uring_port.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "netcore/base/assert.h"
#include "netcore/base/log_format.h"
#include "netcore/port/linux/linux_sockets.h"
#include "netcore/port/linux/prefetch.h"

namespace netcore::linux_port {
namespace {

constexpr std::uint64_t kOperationMask = 15;
static_assert(alignof(IoUringSocket) > kOperationMask);

// No address of a process is longer, unless it asked mmap for such (Linux,
// Documentation/arch/x86/x86_64/5level-paging.rst and arch/arm64/memory.rst).
constexpr int kAddressBits = 48;
constexpr std::uint64_t kAddressMask = (std::uint64_t{1} << kAddressBits) - 1 - kOperationMask;

// Between two lines about a kernel that is short of memory.
constexpr Duration kBetweenLines = std::chrono::seconds(1);

}  // namespace

IoUringPort::~IoUringPort() {
  while (!open_.IsEmpty()) Close(open_.Front(), CloseMode::kAbort);
  DrainClosing();
  FreeClosed();
  while (!named_.IsEmpty()) delete &named_.PopFront();
  while (spare_vectors_ != nullptr) delete std::exchange(spare_vectors_, spare_vectors_->next_free);
  if (wake_ >= 0) ::close(wake_);
}

Error IoUringPort::Open() {
  if (Error error = ring_.Create(sizes_.sq_entries, sizes_.cq_entries)) return error;
  if (Error error = buffers_.Create(ring_, sizes_.recv_buffer_count)) return error;
  if (Error error = room_.Create()) return error;
  if (Error error = timer_.Create()) return error;
  wake_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_ < 0) return ErrorFromErrno(errno, "io_uring: eventfd");
  return {};
}

Error IoUringPort::AttachThread() {
  NETCORE_ASSERT(!is_attached_);
  if (Error error = ring_.Enable()) return error;
  is_attached_ = true;
  return {};
}

TimePoint IoUringPort::Now() const noexcept { return std::chrono::steady_clock::now(); }

PortSocket* IoUringPort::Adopt(OwnedSocket&& socket, const SocketOptions& options) {
  auto* const adopted = new IoUringSocket(static_cast<int>(socket.Get()));
  NETCORE_ASSERT(reinterpret_cast<std::uintptr_t>(adopted) >> kAddressBits == 0);
  socket.Release();
  open_.PushBack(*adopted);
  SetOptions(adopted->descriptor, options);
  return adopted;
}

Endpoint IoUringPort::LocalEndpoint(const PortSocket& socket) const {
  return LocalEndpointOf(static_cast<const IoUringSocket&>(socket).descriptor);
}

void IoUringPort::ShutdownSend(PortSocket& socket) noexcept {
  static_cast<void>(::shutdown(SocketOf(socket).descriptor, SHUT_WR));
}

// What the ring has taken from the socket lies in its completions; what it has not, in the socket.
bool IoUringPort::HasNews(IocpEvent& event) noexcept {
  if (!event.IsPending()) return false;
  const IoUringEvent& record = RecordOf<IoUringEvent>(event);
  const IoUringSocket& socket = record.socket;
  if (record.is_ready) return true;
  switch (event.Kind()) {
    case EventKind::kAccept:
      return !socket.accepted.empty() || HasNewsOf(socket, Operation::kAccept, Direction::kIn);
    case EventKind::kConnect:
      return HasNewsOf(socket, Operation::kConnect, Direction::kOut);
    case EventKind::kRecv:
      return socket.HasKept() || HasNewsOf(socket, Operation::kRecv, Direction::kIn);
    case EventKind::kSend:
      return HasNewsOf(socket, Operation::kSend, Direction::kOut);
  }
  return false;
}

bool IoUringPort::HasNewsOf(const IoUringSocket& socket, Operation operation,
                            Direction direction) const noexcept {
  for (unsigned place = 0; place < ring_.CompletionCount(); ++place) {
    const std::uint64_t user_data = ring_.UserDataAt(place);
    if (SocketOf(user_data) == &socket && OperationOf(user_data) == operation) return true;
  }
  return IsReadyNow(socket.descriptor, direction);
}

void IoUringPort::Cancel(IocpEvent& event) noexcept {
  if (!event.IsPending()) return;
  IoUringEvent& record = RecordOf<IoUringEvent>(event);
  if (record.is_ready || record.is_cancelled) return;
  record.is_cancelled = true;
  switch (event.Kind()) {
    case EventKind::kAccept:
      return CancelAccept(record);
    case EventKind::kConnect:
      return AskCancel(record.socket, Operation::kConnect, record.generation);
    case EventKind::kRecv:
      return CancelRecv(record);
    case EventKind::kSend:
      return CancelSend(record);
  }
}

void IoUringPort::Close(PortSocket& port_socket, CloseMode mode) noexcept {
  IoUringSocket& socket = SocketOf(port_socket);
  NETCORE_ASSERT(!socket.is_closed && socket.accepts.IsEmpty() && socket.recv == nullptr &&
                 socket.send == nullptr && socket.connect == nullptr);
  NETCORE_ASSERT(!socket.recv_state.is_armed);
  socket.is_closed = true;
  CloseListening(socket);
  if (socket.accept_state.is_armed) {
    closing_.PushBack(socket);
  } else {
    Release(socket, mode);
  }
}

void IoUringPort::Wake() noexcept {
  const std::uint64_t one = 1;
  // Fails only where the count is at its limit, and then the port is awake.
  static_cast<void>(::write(wake_, &one, sizeof one));
}

std::size_t IoUringPort::DispatchUntil(TimePoint deadline) noexcept {
  handed_out_count_ = 0;
  taken_before_ = taken_count_;
  is_woken_ = std::exchange(is_woken_late_, false);
  if (is_woken_) deadline = kNoWait;
  for (;;) {
    taken_count_ = 0;
    const Duration left = timer_.LeftUntil(deadline);
    const IoUringRing::EnterResult entered = Enter(left);
    TakeRounds();
    if (entered == IoUringRing::EnterResult::kNoMemory ||
        (entered == IoUringRing::EnterResult::kBusy && taken_count_ == 0)) {
      if (handed_out_count_ == 0) BackOff(deadline);
      break;
    }
    failed_enters_ = 0;
    // What came may be of no concern to an owner, such as the end of an operation to be re-armed.
    if (handed_out_count_ > 0 || is_woken_ || entered != IoUringRing::EnterResult::kDone ||
        left == Duration::zero()) {
      break;
    }
  }
  if (!closed_.IsEmpty()) FreeClosed();
  return handed_out_count_;
}

std::size_t IoUringPort::HandOutReady() noexcept {
  if (!HasReady()) return 0;
  handed_out_count_ = 0;
  TakeReady();
  return handed_out_count_;
}

IoUringRing::EnterResult IoUringPort::Enter(Duration timeout) noexcept {
  buffers_.Publish();  // first: an entry may leave at once, to make room for the next
  if (refused_.IsEmpty()) {
    refused_rounds_ = 0;
  } else {
    timeout = AskAgain(timeout);
  }
  if (!starved_.IsEmpty() || !ended_.IsEmpty()) ArmEnded();
  if (!is_wake_armed_) is_wake_armed_ = ArmPoll(wake_, Operation::kWake);
  if (!is_timer_armed_) is_timer_armed_ = ArmPoll(timer_.Descriptor(), Operation::kTimer);
  if (!is_room_armed_) is_room_armed_ = ArmPoll(room_.Descriptor(), Operation::kRoom);
  const bool must_not_wait = HasReady() || !starved_.IsEmpty() || !is_timer_armed_;
  return ring_.Enter(must_not_wait ? Duration::zero() : timeout);
}

// Waits a little before a kernel that is short of memory is asked again, and longer each time. Ends
// early when the port is woken.
void IoUringPort::BackOff(TimePoint deadline) noexcept {
  constexpr std::chrono::microseconds kShortest{100};
  constexpr Duration kLongest = std::chrono::milliseconds(10);
  constexpr int kDoublings = 7;
  const Duration pause = std::min<Duration>(kShortest * (1 << failed_enters_), kLongest);
  failed_enters_ = std::min(failed_enters_ + 1, kDoublings);
  const TimePoint now = Now();
  if (now >= next_line_) {
    WriteLog(*log_, LogLevel::kWarning,
             "io_uring: the kernel is short of memory and takes no operation; trying again");
    next_line_ = now + kBetweenLines;
  }
  if (deadline <= now) return;
  const timespec limit{0, static_cast<long>(std::min(pause, deadline - now).count())};
  pollfd wake{wake_, POLLIN, 0};
  static_cast<void>(::ppoll(&wake, 1, &limit, nullptr));
}

// With deferred work, one Enter does a limited number of the kernel's work items, some of which may
// be of no concern to an owner. And who found no buffer has something to take.
void IoUringPort::TakeRounds() noexcept {
  const auto waiting = [this](unsigned place) { return SocketOf(ring_.UserDataAt(place)); };
  for (int round = 0; round < kMaxRounds; ++round) {
    Completion completion;
    PrefetchFirst(waiting);
    while (taken_count_ < kMaxCompletions && ring_.NextCompletion(completion)) {
      ++taken_count_;
      PrefetchNext(waiting);
      Process(completion);
    }
    if (HasReady()) TakeReady();
    if (handed_out_count_ >= kFullDispatch || taken_count_ >= kMaxCompletions) return;
    if (!ring_.HasWork() && starved_.IsEmpty()) return;
    Enter(Duration::zero());
  }
}

void IoUringPort::Process(const Completion& completion) noexcept {
  const Operation operation = OperationOf(completion.user_data);
  IoUringSocket* const socket = SocketOf(completion.user_data);
  switch (operation) {
    case Operation::kIgnored:
      return;
    case Operation::kWake:
      return ProcessWake(completion);
    case Operation::kTimer:
      return ProcessTimer(completion);
    case Operation::kRoom:
      return ProcessRoom(completion);
    case Operation::kAccept:
      return ProcessAccept(*socket, completion);
    case Operation::kConnect:
      return ProcessConnect(*socket, completion);
    case Operation::kRecv:
      return ProcessRecv(*socket, completion);
    case Operation::kSend:
      return ProcessSend(*socket, completion);
    default:
      return ProcessCancel(*socket, operation, GenerationOf(completion.user_data),
                           completion.result);
  }
}

void IoUringPort::TakeReady() noexcept {
  // What handlers add waits for the next round, so that two of them can't hold Dispatch for ever.
  IntrusiveList<IoUringEvent, EventTag> ready;
  ready.TakeAll(ready_);
  IntrusiveList<IoUringSocket, RecvTag> resumed;
  resumed.TakeAll(resumed_);
  IntrusiveList<IoUringSocket, RecvTag> accepting;
  accepting.TakeAll(accepting_);
  while (!ready.IsEmpty()) {
    IoUringEvent& record = ready.PopFront();
    Finish(record, std::move(record.error));
  }
  while (!resumed.IsEmpty()) HandOutKept(resumed.PopFront());
  while (!accepting.IsEmpty()) HandOutAccepted(accepting.PopFront());
}

// False without memory for it; the next Enter tries again.
bool IoUringPort::ArmPoll(int descriptor, Operation operation) noexcept {
  io_uring_sqe* const entry = ring_.NextEntry();
  if (entry == nullptr) return false;
  io_uring_prep_poll_multishot(entry, descriptor, POLLIN);
  io_uring_sqe_set_data64(entry, static_cast<std::uint64_t>(operation));
  return true;
}

void IoUringPort::ProcessWake(const Completion& completion) noexcept {
  if (!completion.HasMore()) is_wake_armed_ = false;
  std::uint64_t count;
  static_cast<void>(::read(wake_, &count, sizeof count));
  (handed_out_count_ == 0 ? is_woken_ : is_woken_late_) = true;
}

void IoUringPort::ProcessTimer(const Completion& completion) noexcept {
  if (!completion.HasMore()) is_timer_armed_ = false;
  timer_.Clear();
}

std::uint64_t IoUringPort::UserData(const IoUringSocket& socket, Operation operation,
                                    std::uint16_t generation) noexcept {
  return static_cast<std::uint64_t>(generation) << kAddressBits |
         reinterpret_cast<std::uintptr_t>(&socket) | static_cast<std::uint64_t>(operation);
}

// Null for what concerns none.
IoUringSocket* IoUringPort::SocketOf(std::uint64_t user_data) noexcept {
  return reinterpret_cast<IoUringSocket*>(static_cast<std::uintptr_t>(user_data & kAddressMask));
}

IoUringPort::Operation IoUringPort::OperationOf(std::uint64_t user_data) noexcept {
  return static_cast<Operation>(user_data & kOperationMask);
}

std::uint16_t IoUringPort::GenerationOf(std::uint64_t user_data) noexcept {
  return static_cast<std::uint16_t>(user_data >> kAddressBits);
}

IoUringSocket& IoUringPort::SocketOf(PortSocket& socket) noexcept {
  return static_cast<IoUringSocket&>(socket);
}

IoUringEvent& IoUringPort::Begin(IoUringSocket& socket, IocpEvent& event) noexcept {
  NETCORE_ASSERT(!socket.is_closed && !event.IsPending());
  socket.owner = &event.Owner();
  return BeginEvent<IoUringEvent>(event, event, socket);
}

void IoUringPort::MakeReady(IoUringEvent& record, Error error) noexcept {
  record.error = std::move(error);
  record.is_ready = true;
  ready_.PushBack(record);
}

void IoUringPort::Finish(IoUringEvent& record, Error error) noexcept {
  IoResult result;
  result.error = std::move(error);
  Finish(record, result);
}

void IoUringPort::Finish(IoUringEvent& record, IoResult& result) noexcept {
  IoUringSocket& socket = record.socket;
  switch (record.event.Kind()) {
    case EventKind::kAccept:
      break;
    case EventKind::kConnect:
      socket.connect = nullptr;
      socket.connect_address.reset();
      break;
    case EventKind::kRecv:
      socket.recv = nullptr;
      WaitingRecv(socket).Unlink();
      break;
    case EventKind::kSend:
      socket.send = nullptr;
      result.bytes = record.sent_bytes;
      RecycleVector(record);
      break;
  }
  ++handed_out_count_;
  CompleteEvent<IoUringEvent>(record.event, result);
}

void IoUringPort::Release(IoUringSocket& socket, CloseMode mode) noexcept {
  CloseDescriptor(std::exchange(socket.descriptor, -1), mode);
  closed_.PushBack(socket);
}

void IoUringPort::FreeClosed() noexcept {
  while (!closed_.IsEmpty()) {
    IoUringSocket& socket = closed_.PopFront();
    if (socket.unanswered_cancels > 0) {
      named_.PushBack(socket);
    } else {
      delete &socket;
    }
  }
}

// The kernel answers a cancel at once, unless it has no time at all.
void IoUringPort::DrainClosing() noexcept {
  constexpr int kMaxEnters = 100;
  constexpr Duration kEach = std::chrono::milliseconds(10);
  for (int i = 0; is_attached_ && !closing_.IsEmpty() && i < kMaxEnters; ++i) {
    Enter(kEach);
    Completion completion;
    while (ring_.NextCompletion(completion)) Process(completion);
  }
  while (!closing_.IsEmpty()) Release(closing_.Front(), CloseMode::kAbort);
}

}  // namespace netcore::linux_port
