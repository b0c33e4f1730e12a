#include "netcore/sim/memory_net.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

namespace netcore {
namespace {

using Family = Endpoint::Family;

bool IsOurs(const Endpoint& address) noexcept { return address.IsAny() || address.IsLoopback(); }

// A listener on [::] is open for IPv4 too.
bool Covers(const Endpoint& bound, const Endpoint& address) noexcept {
  if (bound.Port() != address.Port()) return false;
  if (bound == address) return true;
  return bound.IsAny() &&
         (bound.GetFamily() == Family::kIpv6 || address.GetFamily() == Family::kIpv4);
}

}  // namespace

void MemoryNet::AdvanceTo(TimePoint time) noexcept {
  now_ = std::max(now_, std::min(time, kNever - Duration(1)));
  while (!steps_.empty() && steps_.begin()->first.first <= now_) {
    MemoryStep& step = *steps_.begin()->second;
    steps_.erase(steps_.begin());
    --step.scheduled_count_;
    step.OnDue();
  }
}

void MemoryNet::Schedule(TimePoint at, MemoryStep& step) {
  steps_.emplace(std::pair(at, next_step_++), &step);
  ++step.scheduled_count_;
}

void MemoryNet::Unschedule(MemoryStep& step) noexcept {
  for (auto it = steps_.begin(); step.scheduled_count_ > 0 && it != steps_.end();) {
    if (it->second == &step) {
      it = steps_.erase(it);
      --step.scheduled_count_;
    } else {
      ++it;
    }
  }
}

bool MemoryNet::ResetConnection(std::size_t index) noexcept {
  if (index >= sockets_.size()) return false;
  MemorySocket& socket = *std::next(sockets_.begin(), static_cast<std::ptrdiff_t>(index))->second;
  if (socket.peer_ == nullptr) return false;
  Sever(socket);
  return true;
}

Error MemoryNet::Bind(MemorySocket& socket, const Endpoint& address) {
  const auto failed = [&](ErrorCode code) { return Error(code, 0, "bind " + address.ToString()); };
  if (address.GetFamily() == Family::kNone) return failed(ErrorCode::kInvalidArgument);
  if (!IsOurs(address)) return failed(ErrorCode::kAddressNotAvailable);
  Endpoint bound = address;
  if (address.Port() == 0) {
    std::uint16_t port = 0;
    if (const Error error = ChoosePort(port)) return failed(error.Code());
    bound = address.WithPort(port);
  }
  for (const MemorySocket* other : listeners_) {
    if (Covers(other->local_, bound) || Covers(bound, other->local_))
      return failed(ErrorCode::kAddressInUse);
  }
  listeners_.push_back(&socket);
  socket.local_ = bound;
  socket.state_ = MemorySocket::State::kListening;
  HoldPort(socket);
  return {};
}

Error MemoryNet::ChoosePort(std::uint16_t& port) noexcept {
  if (control_ != nullptr && last_released_port_ != 0 &&
      !held_ports_.contains(last_released_port_) &&
      control_->faults.Happens(Fault::kHandleReused)) {
    port = last_released_port_;
    return {};
  }
  const std::uint16_t first = next_port_;
  do {
    port = next_port_;
    next_port_ =
        next_port_ == UINT16_MAX ? kFirstFreePort : static_cast<std::uint16_t>(next_port_ + 1);
    if (!held_ports_.contains(port)) return {};
  } while (next_port_ != first);
  return ErrorCode::kAddressInUse;
}

void MemoryNet::HoldPort(MemorySocket& socket) {
  ++held_ports_[socket.local_.Port()];
  socket.holds_port_ = true;
}

void MemoryNet::ReleasePort(MemorySocket& socket) noexcept {
  if (!std::exchange(socket.holds_port_, false)) return;
  const auto held = held_ports_.find(socket.local_.Port());
  if (--held->second > 0) return;
  if (held->first >= kFirstFreePort) last_released_port_ = held->first;
  held_ports_.erase(held);
}

void MemoryNet::RemoveListener(MemorySocket& socket) noexcept { std::erase(listeners_, &socket); }

MemorySocket* MemoryNet::FindListener(const Endpoint& address) const noexcept {
  MemorySocket* found = nullptr;
  for (MemorySocket* listener : listeners_) {
    if (listener->local_ == address) return listener;
    if (Covers(listener->local_, address)) found = listener;
  }
  return found;
}

std::size_t MemoryNet::Room(const MemorySocket& from, const MemorySocket& to) noexcept {
  std::size_t capacity = kPipeBytes;
  for (const int bytes : {from.options_.send_buffer_bytes, to.options_.recv_buffer_bytes}) {
    if (bytes > 0) capacity = std::min(capacity, static_cast<std::size_t>(bytes));
  }
  return capacity - std::min(capacity, to.UnreadBytes());
}

void MemoryNet::DeliverConnect(MemorySocket& client, MemorySocket& listener) {
  auto server = std::make_unique<MemorySocket>(client.net_, client.family_);
  server->options_ = listener.options_;
  server->local_ = client.peer_address_;
  server->peer_address_ = client.local_;
  MemorySocket& accepted = *server;
  listener.backlog_.push_back(std::move(server));
  accepted.state_ = client.state_ = MemorySocket::State::kConnected;
  accepted.peer_ = &client;
  client.peer_ = &accepted;
  client.Notify(EventKind::kConnect);
  listener.Notify(EventKind::kAccept);
  if (control_ != nullptr && control_->faults.Happens(Fault::kPeerReset)) Sever(client);
}

void MemoryNet::DeliverRefusal(MemorySocket& client) noexcept {
  client.listener_ = nullptr;
  client.state_ = MemorySocket::State::kRefused;
  client.Notify(EventKind::kConnect);
}

std::size_t MemoryNet::DeliverBytes(std::span<const std::byte> bytes, MemorySocket& to,
                                    std::size_t room) {
  const std::size_t count = std::min(bytes.size(), room);
  if (count == 0) return 0;
  to.arrived_.erase(to.arrived_.begin(),
                    to.arrived_.begin() + static_cast<std::ptrdiff_t>(std::exchange(to.read_, 0)));
  to.arrived_.insert(to.arrived_.end(), bytes.begin(),
                     bytes.begin() + static_cast<std::ptrdiff_t>(count));
  to.Arrive(count);
  return count;
}

void MemoryNet::DeliverEnd(MemorySocket& to) noexcept { to.Arrive(MemorySocket::kFin); }

void MemoryNet::DeliverReset(MemorySocket& to) noexcept { to.ArriveReset(); }

// Both ends hear of it, each in its time.
void MemoryNet::Sever(MemorySocket& socket) noexcept {
  MemorySocket* const peer = std::exchange(socket.peer_, nullptr);
  if (peer == nullptr) return;
  peer->peer_ = nullptr;
  DeliverReset(*peer);
  DeliverReset(socket);
}

void MemoryNet::DeliverRoom(MemorySocket& to) noexcept { to.Notify(EventKind::kSend); }

}  // namespace netcore
