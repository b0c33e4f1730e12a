// MemorySocket: one end of a connection, or a listener, in a MemoryNet. Works as a non-blocking
// socket does, and tells a watcher when it may be asked again. Knows no port and no event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "netcore/base/clock.h"
#include "netcore/base/endpoint.h"
#include "netcore/base/error.h"
#include "netcore/port/completion_port.h"
#include "netcore/port/iocp_event.h"
#include "netcore/port/owned_socket.h"
#include "netcore/sim/memory_step.h"

namespace netcore {

class MemoryNet;

/// Hears when an operation that could not go on may go on now.
class MemoryWatcher {
 public:
  /// Called from inside the operation, on whatever socket, that made the difference: only note it.
  virtual void OnReady(EventKind kind) noexcept = 0;

 protected:
  ~MemoryWatcher() = default;
};

/// What one try at an operation came to.
struct MemoryResult {
  Error error;
  std::size_t bytes = 0;
  bool blocked = false;  // nothing could be done now; the watcher will hear
};

///     kIdle -> kListening
///       |
///       +--> kConnecting -> kConnected -> kReset
///                  |
///                  +------> kRefused
///
/// Owns: the bytes that have arrived, and, if it listens, the connections nobody has accepted.
/// Lifetime: an OwnedSocket's or a port's. Threads: its net's one.
class MemorySocket final : public MemoryStep {
 public:
  enum class State : std::uint8_t { kIdle, kListening, kConnecting, kConnected, kReset, kRefused };

  MemorySocket(std::shared_ptr<MemoryNet> net, Endpoint::Family family) noexcept;
  MemorySocket(const MemorySocket&) = delete;
  MemorySocket& operator=(const MemorySocket&) = delete;

  /// Closes with a reset, unless Close came first.
  ~MemorySocket();

  /// Tells sockets apart in a trace; 0 without a control.
  std::uint64_t Id() const noexcept { return id_; }

  /// To and from the form in which sockets travel between threads.
  static OwnedSocket ToOwned(std::unique_ptr<MemorySocket> socket) noexcept;
  static std::unique_ptr<MemorySocket> FromOwned(OwnedSocket socket) noexcept;
  static const MemorySocket& Of(const OwnedSocket& socket) noexcept {
    return *reinterpret_cast<const MemorySocket*>(socket.Get());
  }

  void SetWatcher(MemoryWatcher* watcher) noexcept { watcher_ = watcher; }
  void SetOptions(const SocketOptions& options) noexcept { options_ = options; }

  State GetState() const noexcept { return state_; }
  const Endpoint& Local() const noexcept { return local_; }
  const Endpoint& Peer() const noexcept { return peer_address_; }

  [[nodiscard]] Error Listen(const Endpoint& address);

  /// Ask again after OnReady(kConnect), until it is no longer blocked.
  MemoryResult Connect(const Endpoint& server);
  void AbandonConnect() noexcept;

  /// Sets `connection` unless blocked or failed.
  MemoryResult Accept(std::unique_ptr<MemorySocket>& connection) noexcept;
  std::size_t WaitingConnectionCount() const noexcept { return backlog_.size(); }

  /// Takes as many bytes as there is room for.
  MemoryResult Send(std::span<const std::byte> bytes);

  /// No bytes, no error and not blocked: the end of the stream.
  MemoryResult Recv(std::span<std::byte> into) noexcept;

  /// True when a Recv would not be blocked.
  bool HasArrived() const noexcept {
    return state_ != State::kConnected || UnreadBytes() > bytes_on_the_way_ || recv_ended_;
  }

  void ShutdownSend() noexcept;

  /// As if all that has arrived had been read, so that a graceful close ends in FIN. What is still
  /// on the way resets it, as on a real network.
  void DropUnread() noexcept { read_ = arrived_.size() - bytes_on_the_way_; }

  /// As the systems do it, kGraceful resets all the same when bytes that arrived are still unread
  /// (RFC 1122 4.2.2.13).
  void Close(CloseMode mode) noexcept;

 private:
  friend class MemoryNet;

  void Notify(EventKind kind) noexcept {
    if (watcher_ != nullptr) watcher_->OnReady(kind);
  }
  std::size_t UnreadBytes() const noexcept { return arrived_.size() - read_; }
  void DropArrived() noexcept;
  void DropOnTheWay() noexcept;

  // What comes from the peer, at once or after a delay: bytes that arrived_ holds already, or kFin.
  void Arrive(std::size_t what) noexcept;
  void ArriveReset() noexcept;
  void OnDue() noexcept override;
  void Admit(std::size_t what) noexcept;
  void Reset() noexcept;
  Duration DrawDelay() const noexcept;
  bool EndsEarly(std::span<const std::byte> bytes, std::size_t& sent);

  static constexpr std::size_t kFin = 0;

  struct OnTheWay {
    TimePoint at;
    std::size_t what;
  };

  std::shared_ptr<MemoryNet> net_;
  MemoryWatcher* watcher_ = nullptr;
  SocketOptions options_;
  Endpoint local_;
  Endpoint peer_address_;
  Endpoint::Family family_;
  State state_ = State::kIdle;
  bool send_ended_ = false;           // our FIN is out
  bool recv_ended_ = false;           // the peer's FIN is in, behind what arrived_ holds
  bool holds_port_ = false;           // local_'s port is counted in the net
  MemorySocket* peer_ = nullptr;      // until either end closes
  MemorySocket* listener_ = nullptr;  // while in its waiting_

  //     arrived_   [ read | unread | on the way ]
  //                       ^ read_               ^ size()
  std::vector<std::byte> arrived_;
  std::size_t read_ = 0;
  std::size_t bytes_on_the_way_ = 0;
  std::deque<OnTheWay> on_the_way_;  // in the order of the stream, and of time
  TimePoint reset_at_ = kNever;      // overtakes all
  std::uint64_t id_ = 0;

  std::deque<std::unique_ptr<MemorySocket>> backlog_;  // connected, not accepted yet
  std::deque<MemorySocket*> waiting_;                  // clients that found the backlog full
};

}  // namespace netcore
