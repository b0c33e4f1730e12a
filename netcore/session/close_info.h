// Why and how a session ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "netcore/base/error.h"

namespace netcore {

enum class CloseReason : std::uint8_t {
  kPeerClosed,          // the peer closed, and all that it sent was delivered
  kPeerReset,           // the peer reset the connection, or is gone
  kTruncated,           // the peer closed in the middle of a packet
  kBadLength,           // a packet's length field is out of bounds
  kFirstPacketTimeout,  // no whole packet in time after connecting
  kFrameTimeout,        // a packet was begun and not finished in time
  kIdleTimeout,         // nothing was received for SessionOptions::idle_timeout
  kSendStalled,         // the peer took nothing for SessionOptions::send_stall_timeout
  kSendQueueFull,       // more than SessionOptions::max_send_queue_bytes waited
  kTimedOut,            // the system gave the peer up, or a connect took too long
  kConnectFailed,       // OnConnected was never called
  kLimitReached,        // a limit of the service
  kRateLimited,         // too much in too short a time
  kKicked,              // the host's decision
  kHookThrew,           // an exception left a hook
  kServiceStopping,     // Service::Stop, Connector::Stop or IocpCore::Stop
  kLocal,               // Disconnect without another reason
  kSystemError,         // see CloseInfo::error
};

inline constexpr std::size_t kCloseReasonCount = 18;

/// "peer closed", "send queue full", ...
std::string_view ToString(CloseReason reason) noexcept;

/// How Disconnect ends a session.
enum class Closing : std::uint8_t {
  kGraceful,  // what is queued is sent, then FIN; under SessionOptions::close_timeout
  kAbort,     // at once, with a reset; what is queued is dropped
};

struct CloseInfo {
  CloseReason reason = CloseReason::kLocal;

  /// What the system said, if it was the cause.
  Error error;

  /// Bytes that Send took and that never reached the system. Where a message was cut off, the peer
  /// saw a reset, not a clean end.
  std::size_t bytes_unsent = 0;
};

}  // namespace netcore
