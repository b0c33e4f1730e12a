// The words for close reasons.
#include "netcore/session/close_info.h"

namespace netcore {

std::string_view ToString(CloseReason reason) noexcept {
  switch (reason) {
    case CloseReason::kPeerClosed:
      return "peer closed";
    case CloseReason::kPeerReset:
      return "peer reset";
    case CloseReason::kTruncated:
      return "truncated";
    case CloseReason::kBadLength:
      return "bad length";
    case CloseReason::kFirstPacketTimeout:
      return "first packet timeout";
    case CloseReason::kFrameTimeout:
      return "frame timeout";
    case CloseReason::kIdleTimeout:
      return "idle timeout";
    case CloseReason::kSendStalled:
      return "send stalled";
    case CloseReason::kSendQueueFull:
      return "send queue full";
    case CloseReason::kTimedOut:
      return "timed out";
    case CloseReason::kConnectFailed:
      return "connect failed";
    case CloseReason::kLimitReached:
      return "limit reached";
    case CloseReason::kRateLimited:
      return "rate limited";
    case CloseReason::kKicked:
      return "kicked";
    case CloseReason::kHookThrew:
      return "hook threw";
    case CloseReason::kServiceStopping:
      return "service stopping";
    case CloseReason::kLocal:
      return "local";
    case CloseReason::kSystemError:
      return "system error";
  }
  return "unknown";
}

}  // namespace netcore
