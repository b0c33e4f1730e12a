// What an operator reads of a service or a connector.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "netcore/session/close_info.h"

namespace netcore {

/// A look from outside while all goes on: each figure is right by itself, two need not fit each
/// other.
struct ServiceStats {
  std::size_t sessions = 0;  // between OnConnected and OnDisconnected
  std::size_t peak_sessions = 0;
  std::uint64_t total_sessions = 0;  // that were ever Connected
  std::size_t groups = 0;            // that have members
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;       // that the system took
  std::uint64_t refused = 0;          // connections closed because of max_sessions
  std::uint64_t accept_failures = 0;  // accepts that the system failed: no descriptor, no memory
  /// Connections whose peer was gone before they were accepted. No session is made of them. epoll
  /// can't tell and does make one, which ends with kPeerReset.
  std::uint64_t accepts_aborted = 0;
  std::uint64_t factory_failures =
      0;  // connections closed because the factory threw, or returned no new session
  std::array<std::uint64_t, kCloseReasonCount> ended{};  // by CloseReason

  std::uint64_t Ended(CloseReason reason) const noexcept {
    return ended[static_cast<std::size_t>(reason)];
  }
};

/// What a stop did.
struct StopReport {
  /// True when everything ended. False when the stop gave up: nobody dispatched, or a hook never
  /// returned; or when WaitStopped was called from inside a hook, where it can't wait.
  bool complete = false;
  std::size_t sessions_ended = 0;  // since Stop
  std::size_t sessions_cut = 0;    // of these, with something unsent
  std::size_t bytes_unsent = 0;
  std::size_t sessions_left = 0;          // that did not end; 0 when complete
  std::chrono::milliseconds duration{0};  // from Stop to the last OnDisconnected
};

}  // namespace netcore
