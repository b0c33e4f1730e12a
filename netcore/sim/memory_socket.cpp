#include "netcore/sim/memory_socket.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "netcore/sim/memory_net.h"

namespace netcore {
namespace {

constexpr std::size_t kKeptBytes =
    4 * 1024;  // memory that a socket keeps while nothing waits in it

MemoryResult Blocked() noexcept { return {.error = {}, .bytes = 0, .blocked = true}; }

MemoryResult Failed(ErrorCode code) noexcept {
  return {.error = code, .bytes = 0, .blocked = false};
}

}  // namespace

MemorySocket::MemorySocket(std::shared_ptr<MemoryNet> net, Endpoint::Family family) noexcept
    : net_(std::move(net)), family_(family) {
  if (net_->Control() == nullptr) return;
  id_ = ++net_->next_socket_;
  net_->sockets_.emplace(id_, this);
}

MemorySocket::~MemorySocket() {
  const SimOwnWork own(net_->Control());
  Close(CloseMode::kAbort);
  if (id_ != 0) net_->sockets_.erase(id_);
}

OwnedSocket MemorySocket::ToOwned(std::unique_ptr<MemorySocket> socket) noexcept {
  const auto handle = reinterpret_cast<OwnedSocket::Handle>(socket.release());
  return OwnedSocket(handle, [](OwnedSocket::Handle closing) noexcept {
    delete reinterpret_cast<MemorySocket*>(closing);
  });
}

std::unique_ptr<MemorySocket> MemorySocket::FromOwned(OwnedSocket socket) noexcept {
  return std::unique_ptr<MemorySocket>(reinterpret_cast<MemorySocket*>(socket.Release()));
}

Error MemorySocket::Listen(const Endpoint& address) { return net_->Bind(*this, address); }

MemoryResult MemorySocket::Connect(const Endpoint& server) {
  switch (state_) {
    case State::kIdle:
      break;
    case State::kConnecting:
      return Blocked();
    case State::kConnected:
      return {};
    case State::kReset:
    case State::kRefused:
      return Failed(ErrorCode::kConnectionRefused);
    case State::kListening:
      return Failed(ErrorCode::kInvalidArgument);
  }
  if (server.GetFamily() != family_) return Failed(ErrorCode::kInvalidArgument);
  if (!server.IsLoopback()) return Failed(ErrorCode::kNetworkUnreachable);
  std::uint16_t port = 0;
  if (const Error error = net_->ChoosePort(port)) return Failed(error.Code());
  net_->ReleasePort(*this);
  local_ = server.WithPort(port);
  peer_address_ = server;
  net_->HoldPort(*this);

  MemorySocket* const listener = net_->FindListener(server);
  if (listener == nullptr) return Failed(ErrorCode::kConnectionRefused);
  if (listener->backlog_.size() < MemoryNet::kBacklog) {
    net_->DeliverConnect(*this, *listener);
    return {};
  }
  listener->waiting_.push_back(this);
  listener_ = listener;
  state_ = State::kConnecting;
  return Blocked();
}

void MemorySocket::AbandonConnect() noexcept {
  if (state_ != State::kConnecting) return;
  std::erase(std::exchange(listener_, nullptr)->waiting_, this);
  state_ = State::kIdle;
}

MemoryResult MemorySocket::Accept(std::unique_ptr<MemorySocket>& connection) noexcept {
  if (state_ != State::kListening) return Failed(ErrorCode::kInvalidArgument);
  if (backlog_.empty()) return Blocked();
  std::unique_ptr<MemorySocket> first = std::move(backlog_.front());
  backlog_.pop_front();
  if (!waiting_.empty()) {
    MemorySocket& client = *waiting_.front();
    try {
      net_->DeliverConnect(client, *this);
      waiting_.pop_front();
      client.listener_ = nullptr;
    } catch (const std::bad_alloc&) {
      // It waits for the next accept.
    }
  }
  if (first->state_ == State::kReset) return Failed(ErrorCode::kConnectionAborted);
  connection = std::move(first);
  return {};
}

MemoryResult MemorySocket::Send(std::span<const std::byte> bytes) {
  if (state_ == State::kReset || send_ended_) return Failed(ErrorCode::kConnectionReset);
  if (state_ != State::kConnected) return Failed(ErrorCode::kNotConnected);
  if (peer_ == nullptr) {
    // Nobody is left there: the bytes go out, and a reset is the answer.
    net_->DeliverReset(*this);
    return {.error = {}, .bytes = bytes.size(), .blocked = false};
  }
  std::size_t count = 0;
  if (EndsEarly(bytes, count)) return {.error = {}, .bytes = count, .blocked = false};
  count = net_->DeliverBytes(bytes, *peer_, MemoryNet::Room(*this, *peer_));
  return {.error = {}, .bytes = count, .blocked = count == 0};
}

// A connection that is cut in the middle: `sent` bytes still arrive. At least one, so that a send
// goes on.
bool MemorySocket::EndsEarly(std::span<const std::byte> bytes, std::size_t& sent) {
  SimControl* const control = net_->Control();
  if (control == nullptr) return false;
  const bool resets = control->faults.Happens(Fault::kPeerReset);
  if (!resets && !control->faults.Happens(Fault::kPeerFin)) return false;
  const std::size_t part = control->faults.DrawShort(bytes.size());
  sent = net_->DeliverBytes(bytes.first(part), *peer_, MemoryNet::Room(*this, *peer_));
  sent = std::max<std::size_t>(sent, 1);
  if (resets) {
    net_->Sever(*this);
    return true;
  }
  MemorySocket& peer = *std::exchange(peer_, nullptr);
  peer.peer_ = nullptr;
  net_->DeliverEnd(peer);
  net_->DeliverReset(*this);
  return true;
}

MemoryResult MemorySocket::Recv(std::span<std::byte> into) noexcept {
  if (state_ == State::kReset) return Failed(ErrorCode::kConnectionReset);
  if (state_ != State::kConnected) return Failed(ErrorCode::kNotConnected);
  const std::size_t count = std::min(into.size(), UnreadBytes() - bytes_on_the_way_);
  if (count == 0) return recv_ended_ ? MemoryResult{} : Blocked();
  std::memcpy(into.data(), arrived_.data() + read_, count);
  read_ += count;
  if (UnreadBytes() == 0) DropArrived();
  if (peer_ != nullptr) MemoryNet::DeliverRoom(*peer_);
  return {.error = {}, .bytes = count, .blocked = false};
}

void MemorySocket::ShutdownSend() noexcept {
  if (state_ != State::kConnected || std::exchange(send_ended_, true)) return;
  if (peer_ != nullptr) net_->DeliverEnd(*peer_);
}

void MemorySocket::Close(CloseMode mode) noexcept {
  const SimOwnWork own(net_->Control());
  watcher_ = nullptr;
  AbandonConnect();
  if (state_ == State::kListening) {
    net_->RemoveListener(*this);
    while (!waiting_.empty()) {
      MemoryNet::DeliverRefusal(*waiting_.front());
      waiting_.pop_front();
    }
    backlog_.clear();
  }
  const bool resets = mode == CloseMode::kAbort || UnreadBytes() > 0;
  if (MemorySocket* const peer = std::exchange(peer_, nullptr)) {
    peer->peer_ = nullptr;
    if (resets) {
      net_->DeliverReset(*peer);
    } else if (!send_ended_) {
      net_->DeliverEnd(*peer);
    }
  }
  net_->ReleasePort(*this);
  state_ = State::kIdle;
  net_->Unschedule(*this);
  reset_at_ = kNever;
  DropOnTheWay();
}

Duration MemorySocket::DrawDelay() const noexcept {
  SimControl* const control = net_->Control();
  if (control == nullptr) return Duration::zero();
  FaultPlan& faults = control->faults;
  if (faults.Happens(Fault::kStalledPeer)) return faults.DrawStall();
  return faults.Happens(Fault::kLateBytes) ? faults.DrawDelay() : Duration::zero();
}

void MemorySocket::Arrive(std::size_t what) noexcept {
  bytes_on_the_way_ += what;
  const Duration delay = DrawDelay();
  if (delay == Duration::zero() && on_the_way_.empty()) return Admit(what);
  TimePoint at = Later(net_->Now(), delay);
  if (!on_the_way_.empty()) at = std::max(at, on_the_way_.back().at);
  on_the_way_.push_back({at, what});
  net_->Schedule(at, *this);
}

void MemorySocket::ArriveReset() noexcept {
  const Duration delay = DrawDelay();
  if (delay == Duration::zero()) return Reset();
  reset_at_ = std::min(reset_at_, Later(net_->Now(), delay));
  net_->Schedule(reset_at_, *this);
}

void MemorySocket::OnDue() noexcept {
  if (reset_at_ <= net_->Now()) return Reset();
  while (!on_the_way_.empty() && on_the_way_.front().at <= net_->Now()) {
    const std::size_t what = on_the_way_.front().what;
    on_the_way_.pop_front();
    Admit(what);
  }
}

void MemorySocket::Admit(std::size_t what) noexcept {
  bytes_on_the_way_ -= what;
  if (what == kFin) recv_ended_ = true;
  Notify(EventKind::kRecv);
}

// Drops what had arrived, as Windows does; so nobody comes to depend on the other.
void MemorySocket::Reset() noexcept {
  reset_at_ = kNever;
  if (state_ != State::kConnected) return;
  state_ = State::kReset;
  DropOnTheWay();
  Notify(EventKind::kRecv);
  Notify(EventKind::kSend);
}

void MemorySocket::DropOnTheWay() noexcept {
  on_the_way_.clear();
  bytes_on_the_way_ = 0;
  DropArrived();
}

void MemorySocket::DropArrived() noexcept {
  read_ = 0;
  arrived_.clear();
  if (arrived_.capacity() > kKeptBytes) std::vector<std::byte>().swap(arrived_);
}

}  // namespace netcore
