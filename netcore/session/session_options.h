// What a service or a connector demands of its sessions.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "netcore/base/error.h"
#include "netcore/port/completion_port.h"

namespace netcore {

/// What happens when the peer closes its write side (FIN).
enum class PeerClose : std::uint8_t {
  kCloseAfterFlush,  // what is queued is sent, then the session ends with kPeerClosed
  kKeepOpen,         // OnPeerClosed; the session goes on sending until it is disconnected
};

/// Every bound on what a peer can make a session hold or wait for. Time that a hook, or a stopped
/// process, takes ends nobody whose bytes were there. A time-out of zero is no limit, and so is
/// kForever. A negative one is refused by Service::Start and Connector::Connect.
struct SessionOptions {
  /// Bytes that wait to be sent on one session, and the memory that they take, of which 4 KiB more
  /// are allowed. Small sends share memory; one of another thread takes 192 bytes more until it has
  /// reached the session's thread. A Send beyond it ends the session with kSendQueueFull. 0: no
  /// limit.
  std::size_t max_send_queue_bytes = 1024 * 1024;

  /// How long the peer may send nothing. Time in PauseRecv does not count.
  std::chrono::milliseconds idle_timeout{0};

  /// Of a PacketSession: how long after connecting its first whole packet may take. Time in
  /// PauseRecv does not count.
  std::chrono::milliseconds first_packet_timeout{0};

  /// Of a PacketSession: how long a packet may take from its first byte to its last. Bytes that
  /// drip in do not put it off. Time in PauseRecv does not count.
  std::chrono::milliseconds frame_timeout{60'000};

  /// How long what was handed to the system (64 KiB at most) may take to be accepted by the peer.
  std::chrono::milliseconds send_stall_timeout{60'000};

  /// How long a graceful end may take, from Disconnect to OnDisconnected: for what is queued to
  /// leave, and for the peer to close too. If something is unsent by then the peer gets a reset.
  std::chrono::milliseconds close_timeout{10'000};

  PeerClose on_peer_close = PeerClose::kCloseAfterFlush;

  SocketOptions socket{};

  /// Returns no error, or kInvalidArgument with the name and the value of an option that has no
  /// meaning. Service::Start and Connector::Connect call it.
  [[nodiscard]] Error Validate() const;
};

}  // namespace netcore
