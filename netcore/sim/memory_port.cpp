// The port's life, its queue of what may go on, and its checks.
#include "netcore/sim/memory_port.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "netcore/base/assert.h"
#include "netcore/sim/memory_records.h"
#include "netcore/sim/memory_socket.h"

namespace netcore {

MemoryPort::MemoryPort(std::shared_ptr<MemoryNet> net)
    : net_(std::move(net)),
      control_(net_->Control()),
      index_(net_->NextPortIndex()),
      lent_(kMaxRecvBytes) {}

MemoryPort::~MemoryPort() {
  const SimOwnWork own(control_);
  net_->Unschedule(*this);
  for (const auto& [id, socket] : sockets_) NETCORE_ASSERT(!socket->HasPending());
}

Error MemoryPort::AttachThread() {
  NETCORE_ASSERT(!attached_);
  attached_ = true;
  return {};
}

TimePoint MemoryPort::Now() const noexcept { return net_->Now(); }

PortSocket* MemoryPort::Adopt(OwnedSocket&& socket, const SocketOptions& options) {
  NETCORE_ASSERT(socket);
  const SimOwnWork own(control_);
  const bool listens = MemorySocket::Of(socket).GetState() == MemorySocket::State::kListening;
  if (!listens && Happens(Fault::kAdoptFailed)) throw std::bad_alloc();
  const std::uint64_t id = next_id_++;
  std::unique_ptr<Adopted> adopted;
  if (!closed_.empty() && Happens(Fault::kHandleReused)) {
    adopted = std::move(closed_.back());
    closed_.pop_back();
    std::destroy_at(adopted.get());
    std::construct_at(adopted.get(), *this, id);
  } else {
    adopted = std::make_unique<Adopted>(*this, id);
  }
  Adopted* const result = adopted.get();
  sockets_.emplace(id, std::move(adopted));
  result->socket = MemorySocket::FromOwned(std::move(socket));
  if (!listens) result->socket->SetOptions(options);
  result->socket->SetWatcher(result);
  Note(SimEvent::kAdopt, 0, *result, result->socket->Id());
  return result;
}

Endpoint MemoryPort::LocalEndpoint(const PortSocket& socket) const {
  return static_cast<const Adopted&>(socket).socket->Local();
}

void MemoryPort::SubmitAccept(PortSocket& listener, IocpEvent& event) noexcept {
  NETCORE_ASSERT(event.Kind() == EventKind::kAccept && !event.IsPending());
  Adopted& adopted = Adopted::From(listener);
  Expect(adopted.open, "an accept was submitted on a socket that was closed");
  Operation& operation = BeginEvent<Operation>(event, event, adopted);
  Note(SimEvent::kSubmit, static_cast<std::uint8_t>(event.Kind()), adopted);
  ++adopted.accept_count;
  adopted.accepts.PushBack(operation);
  if (adopted.socket->GetState() == MemorySocket::State::kListening) {
    MakeAcceptsReady(adopted);
  } else {
    operation.error = ErrorCode::kInvalidArgument;
    MakeReady(event);
  }
}

void MemoryPort::SubmitConnect(PortSocket& socket, const Endpoint& peer,
                               IocpEvent& event) noexcept {
  NETCORE_ASSERT(event.Kind() == EventKind::kConnect);
  Adopted::From(socket).connect_to = peer;
  Begin(socket, event);
}

void MemoryPort::SubmitRecv(PortSocket& socket, IocpEvent& event) noexcept {
  NETCORE_ASSERT(event.Kind() == EventKind::kRecv);
  Expect(!Adopted::From(socket).recv_ended, "a recv was submitted behind the end of its stream");
  Begin(socket, event);
}

void MemoryPort::PauseRecv([[maybe_unused]] PortSocket& socket, IocpEvent& event) noexcept {
  NETCORE_ASSERT(event.Kind() == EventKind::kRecv && event.IsPending());
  RecordOf<Operation>(event).paused = true;
}

void MemoryPort::ResumeRecv([[maybe_unused]] PortSocket& socket, IocpEvent& event) noexcept {
  NETCORE_ASSERT(event.Kind() == EventKind::kRecv && event.IsPending());
  if (std::exchange(RecordOf<Operation>(event).paused, false)) MakeReady(event);
}

void MemoryPort::SubmitSend(PortSocket& socket, std::span<const SendSlice> slices,
                            IocpEvent& event) noexcept {
  NETCORE_ASSERT(event.Kind() == EventKind::kSend);
  std::size_t total = 0;
  for (const SendSlice& slice : slices) total += slice.size();
  NETCORE_ASSERT(total > 0 && total <= kMaxSendBytes && slices.size() <= kMaxSendSlices);
  const SimOwnWork own(control_);
  Adopted& adopted = Adopted::From(socket);
  Expect(!adopted.send_ended, "a send was submitted behind the end of its stream");
  Begin(socket, event);
  try {
    adopted.to_send.assign(slices.begin(), slices.end());
    if (control_ != nullptr) {
      adopted.sending = adopted.to_send;
      adopted.sum = SumOf(adopted.sending);
    }
  } catch (const std::bad_alloc&) {
    RecordOf<Operation>(event).error = ErrorCode::kNoBuffers;
  }
}

std::size_t MemoryPort::SendAtOnce(PortSocket& socket, std::span<const std::byte> bytes) noexcept {
  Adopted& adopted = Adopted::From(socket);
  NETCORE_ASSERT(adopted.Pending(EventKind::kSend) == nullptr && !bytes.empty());
  const SimOwnWork own(control_);
  Expect(adopted.open && !adopted.send_ended, "a send at once on a socket that can't send");
  if (!adopted.open) return 0;
  bytes = bytes.first(std::min(bytes.size(), kMaxSendBytes));
  if (Happens(Fault::kShortSend)) bytes = bytes.first(control_->faults.DrawShort(bytes.size()));
  try {
    return adopted.socket->Send(bytes).bytes;
  } catch (const std::bad_alloc&) {
    return 0;  // as if the system took nothing
  }
}

void MemoryPort::ShutdownSend(PortSocket& socket) noexcept {
  NETCORE_ASSERT(Adopted::From(socket).Pending(EventKind::kSend) == nullptr);
  const SimOwnWork own(control_);
  Adopted& adopted = Adopted::From(socket);
  Expect(adopted.open, "a shutdown of a socket that was closed");
  if (!adopted.open) return;
  adopted.send_ended = true;
  Note(SimEvent::kShutdown, 0, adopted);
  adopted.socket->ShutdownSend();
}

bool MemoryPort::HasNews(IocpEvent& event) noexcept {
  if (!event.IsPending()) return false;
  const Operation& operation = RecordOf<Operation>(event);
  // A recv stream is tried again behind what it has delivered, whether there is more or not.
  if (event.Kind() == EventKind::kRecv) return operation.socket.socket->HasArrived();
  return operation.ready;
}

void MemoryPort::Cancel(IocpEvent& event) noexcept {
  if (!event.IsPending()) return;
  const SimOwnWork own(control_);
  Operation& operation = RecordOf<Operation>(event);
  if (!std::exchange(operation.cancelled, true)) {
    Note(SimEvent::kCancel, static_cast<std::uint8_t>(event.Kind()), operation.socket);
    operation.cancel_lost = Happens(Fault::kCancelLost);
    if (!operation.held && Happens(Fault::kCancelLate)) {
      if (operation.ready) {
        TakeReady(event);
        if (event.Kind() == EventKind::kAccept) --operation.socket.ready_accept_count;
      } else if (event.Kind() == EventKind::kAccept) {
        operation.Unlink();
      }
      return Hold(event, Later(net_->Now(), control_->faults.DrawDelay()));
    }
  }
  MakeReady(event);
}

void MemoryPort::Close(PortSocket& socket, CloseMode mode) noexcept {
  Adopted& adopted = Adopted::From(socket);
  const SimOwnWork own(control_);
  Expect(adopted.open, "a socket was closed twice");
  if (!adopted.open) return;
  NETCORE_ASSERT(!adopted.HasPending());
  Note(SimEvent::kClose, static_cast<std::uint8_t>(mode), adopted);
  if (mode == CloseMode::kGraceful) adopted.socket->DropUnread();
  adopted.socket->Close(mode);
  const auto found = sockets_.find(adopted.Id());
  if (control_ != nullptr) {
    adopted.open = false;
    adopted.socket.reset();
    closed_.push_back(std::move(found->second));
  }
  sockets_.erase(found);
}

void MemoryPort::Wake() noexcept { woken_.store(true); }

std::size_t MemoryPort::DispatchUntil(TimePoint deadline) noexcept {
  NETCORE_ASSERT(attached_);
  const SimOwnWork own(control_);
  CheckPending();
  const bool woken = woken_.exchange(false);
  std::size_t handled = 0;
  // What is made ready meanwhile is for the next call: nobody keeps the others waiting.
  for (std::size_t tries = std::min(ready_count_, kMaxBatch); tries > 0 && !ready_.IsEmpty();
       --tries)
    handled += Try(ready_.Front().event);
  const bool waits = handled == 0 && ready_count_ == 0 && !woken;
  const TimePoint end = std::min(deadline, net_->NextStep());
  if (waits && end > net_->Now() && end != kNever) net_->AdvanceTo(end);
  return handled;
}

void MemoryPort::Begin(PortSocket& socket, IocpEvent& event) noexcept {
  Adopted& adopted = Adopted::From(socket);
  IocpEvent*& pending = adopted.Pending(event.Kind());
  NETCORE_ASSERT(pending == nullptr && !event.IsPending());
  Expect(adopted.open, "an operation was submitted on a socket that was closed");
  Operation& operation = BeginEvent<Operation>(event, event, adopted);
  Note(SimEvent::kSubmit, static_cast<std::uint8_t>(event.Kind()), adopted);
  pending = &event;
  if (!adopted.open) operation.error = ErrorCode::kNotConnected;
  MakeReady(event);
}

void MemoryPort::MakeReady(IocpEvent& event) noexcept {
  Operation& operation = RecordOf<Operation>(event);
  if (operation.held || std::exchange(operation.ready, true)) return;
  if (event.Kind() == EventKind::kAccept) ++operation.socket.ready_accept_count;
  if (Happens(Fault::kReordered)) {
    ready_.PushFront(operation);
  } else {
    ready_.PushBack(operation);
  }
  ++ready_count_;
  net_->CountReady(true);
}

void MemoryPort::TakeReady(IocpEvent& event) noexcept {
  Operation& operation = RecordOf<Operation>(event);
  operation.Unlink();
  operation.ready = false;
  --ready_count_;
  net_->CountReady(false);
}

void MemoryPort::Hold(IocpEvent& event, TimePoint until) noexcept {
  RecordOf<Operation>(event).held = true;
  held_.emplace(until, &event);
  net_->Schedule(until, *this);
}

void MemoryPort::OnDue() noexcept {
  while (!held_.empty() && held_.begin()->first <= net_->Now()) {
    IocpEvent& event = *held_.begin()->second;
    held_.erase(held_.begin());
    Operation& operation = RecordOf<Operation>(event);
    operation.held = false;
    if (event.Kind() == EventKind::kAccept) operation.socket.accepts.PushBack(operation);
    MakeReady(event);
  }
}

// What could go on and is told to wait.
bool MemoryPort::IsHeldUp(IocpEvent& event) noexcept {
  Operation& operation = RecordOf<Operation>(event);
  if (control_ == nullptr || std::exchange(operation.was_held, false)) return false;
  if (event.Kind() == EventKind::kRecv) {
    if (no_buffers_until_ <= net_->Now() && Happens(Fault::kEmptyRing))
      no_buffers_until_ = Later(net_->Now(), control_->faults.DrawDelay());
    if (no_buffers_until_ > net_->Now()) {
      Hold(event, no_buffers_until_);
      return true;
    }
  }
  if (!Happens(Fault::kLateCompletion)) return false;
  operation.was_held = true;
  Hold(event, Later(net_->Now(), control_->faults.DrawDelay()));
  return true;
}

void MemoryPort::Note(SimEvent what, std::uint8_t detail, const Adopted& socket,
                      std::uint64_t value) noexcept {
  if (control_ == nullptr) return;
  control_->trace.Add(net_->Now(), what, detail, SimTrace::Place(index_, socket.Id()), value);
}

void MemoryPort::Expect(bool holds, const char* rule) noexcept {
  if (control_ != nullptr && !holds) control_->trace.Fail(net_->Now(), rule);
}

// Whatever is pending is still there, where it was.
void MemoryPort::CheckPending() noexcept {
  if (control_ == nullptr) return;
  for (const auto& [id, socket] : sockets_) {
    for (const EventKind kind : {EventKind::kConnect, EventKind::kRecv, EventKind::kSend}) {
      IocpEvent* const event = socket->Pending(kind);
      if (event == nullptr) continue;
      const Operation& operation = RecordOf<Operation>(*event);
      Expect(event->IsPending() && event->Kind() == kind && operation.alive == Operation::kAlive &&
                 &operation.socket == socket.get(),
             "a pending event is gone, or was written to");
    }
  }
}

// Not a good sum, a quick one: it has to see bytes that were freed or overwritten.
std::uint64_t MemoryPort::SumOf(std::span<const SendSlice> slices) noexcept {
  std::uint64_t sum = 0;
  for (const SendSlice& slice : slices) {
    std::size_t done = 0;
    for (std::uint64_t word = 0; done + sizeof word <= slice.size(); done += sizeof word) {
      std::memcpy(&word, slice.data() + done, sizeof word);
      sum = (sum ^ word) * 0x9e3779b97f4a7c15U;
    }
    for (; done < slice.size(); ++done)
      sum = (sum ^ std::to_integer<std::uint64_t>(slice[done])) * 0x9e3779b97f4a7c15U;
  }
  return sum;
}

void MemoryPort::MakeAcceptsReady(Adopted& listener) noexcept {
  while (!listener.accepts.IsEmpty() &&
         listener.ready_accept_count < listener.socket->WaitingConnectionCount())
    MakeReady(listener.accepts.Front().event);
}

}  // namespace netcore
