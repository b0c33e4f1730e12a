// MemoryNet: a network inside the process: addresses, what travels between sockets, and a clock
// that moves only when told. Deterministic: nothing depends on the wall clock, on threads or on
// where an object lies in memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "netcore/base/clock.h"
#include "netcore/base/endpoint.h"
#include "netcore/base/error.h"
#include "netcore/sim/memory_socket.h"
#include "netcore/sim/memory_step.h"
#include "netcore/sim/sim_control.h"

namespace netcore {

/// The machine has the loopback addresses, IPv4 and IPv6, and no others.
///
/// Owns: which ports are taken, and the time. Lifetime: shared by its factory and its sockets.
/// Threads: one, the same for all ports on it.
class MemoryNet {
 public:
  static constexpr std::size_t kPipeBytes = 64 * 1024;  // on the way in one direction, at most
  static constexpr std::size_t kBacklog = 128;          // not accepted yet on one listener, at most

  /// With a `control`, which outlives the net, what it plans goes wrong; without one nothing does.
  explicit MemoryNet(SimControl* control = nullptr) noexcept : control_(control) {}
  MemoryNet(const MemoryNet&) = delete;
  MemoryNet& operator=(const MemoryNet&) = delete;

  TimePoint Now() const noexcept { return now_; }

  /// Moves the clock by `by`, not at all if that is zero or negative, and takes all steps that are
  /// then due. It stops before the end of time, which is kNever.
  template <typename Rep, typename Period>
  void Advance(std::chrono::duration<Rep, Period> by) noexcept {
    AdvanceTo(Later(now_, by));
  }

  /// Moves the clock to `time`, not at all if that has passed, and takes all steps that are then
  /// due. It stops before the end of time, which is kNever.
  void AdvanceTo(TimePoint time) noexcept;

  /// When the next delayed step is due; kNever if none waits.
  TimePoint NextStep() const noexcept {
    return steps_.empty() ? kNever : steps_.begin()->first.first;
  }

  /// For sockets and ports: calls `step` once at `at`, of several at the same time the first to ask
  /// first. As often as it is asked.
  void Schedule(TimePoint at, MemoryStep& step);
  void Unschedule(MemoryStep& step) noexcept;

  SimControl* Control() const noexcept { return control_; }
  std::uint32_t NextPortIndex() noexcept { return next_port_index_++; }

  /// Operations that a port can try at once, of all ports.
  std::size_t ReadyCount() const noexcept { return ready_count_; }
  void CountReady(bool more) noexcept { more ? ++ready_count_ : --ready_count_; }

  /// Sockets of whatever kind; counted only with a control.
  std::size_t SocketCount() const noexcept { return sockets_.size(); }

  /// Resets the connection of the `index`th socket, counted in the order in which they were made;
  /// false if that is no connection.
  bool ResetConnection(std::size_t index) noexcept;

 private:
  friend class MemorySocket;

  static constexpr std::uint16_t kFirstFreePort = 49152;  // RFC 6335 6: 49152 to 65535

  // What a socket asks of its machine.
  Error Bind(MemorySocket& socket, const Endpoint& address);
  Error ChoosePort(std::uint16_t& port) noexcept;
  void HoldPort(MemorySocket& socket);
  void ReleasePort(MemorySocket& socket) noexcept;
  void RemoveListener(MemorySocket& socket) noexcept;
  MemorySocket* FindListener(const Endpoint& address) const noexcept;
  static std::size_t Room(const MemorySocket& from, const MemorySocket& to) noexcept;

  // What travels. Each is one step of the network, taken at once, but for faults.
  void DeliverConnect(MemorySocket& client, MemorySocket& listener);
  static void DeliverRefusal(MemorySocket& client) noexcept;
  std::size_t DeliverBytes(std::span<const std::byte> bytes, MemorySocket& to, std::size_t room);
  void DeliverEnd(MemorySocket& to) noexcept;
  void DeliverReset(MemorySocket& to) noexcept;
  void Sever(MemorySocket& socket) noexcept;
  static void DeliverRoom(MemorySocket& to) noexcept;

  TimePoint now_{std::chrono::hours(1)};  // not zero: what lies before the start is still a time
  std::vector<MemorySocket*> listeners_;  // in the order of their Listen
  std::map<std::uint16_t, std::size_t> held_ports_;
  std::uint16_t next_port_ = kFirstFreePort;
  std::uint16_t last_released_port_ = 0;

  SimControl* const control_;
  std::map<std::pair<TimePoint, std::uint64_t>, MemoryStep*> steps_;
  std::uint64_t next_step_ = 0;
  std::map<std::uint64_t, MemorySocket*> sockets_;  // in the order in which they were made
  std::uint64_t next_socket_ = 0;
  std::uint32_t next_port_index_ = 0;
  std::size_t ready_count_ = 0;
};

}  // namespace netcore
