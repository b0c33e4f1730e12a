// The texts of errors, and how a place is joined to them.
#include "netcore/base/error.h"

#include <system_error>

namespace netcore {
namespace {

std::shared_ptr<const std::string> MakeWhere(std::string_view where) {
  return where.empty() ? nullptr : std::make_shared<const std::string>(where);
}

// "No such device or address (system error 6)". Some systems end their texts with ".\r\n".
std::string SystemText(int system_code) {
  std::string text = std::system_category().message(system_code);
  text.erase(text.find_last_not_of(" .\r\n") + 1);
  if (text.empty()) text = ToString(ErrorCode::kUnknown);
  return text + " (system error " + std::to_string(system_code) + ")";
}

}  // namespace

std::string_view ToString(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kNone:
      return "no error";
    case ErrorCode::kAccessDenied:
      return "access denied";
    case ErrorCode::kAddressInUse:
      return "address already in use";
    case ErrorCode::kAddressNotAvailable:
      return "address not available";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kConnectionAborted:
      return "connection aborted";
    case ErrorCode::kConnectionRefused:
      return "connection refused";
    case ErrorCode::kConnectionReset:
      return "connection reset";
    case ErrorCode::kHostUnreachable:
      return "host unreachable";
    case ErrorCode::kInvalidArgument:
      return "invalid argument";
    case ErrorCode::kNetworkUnreachable:
      return "network unreachable";
    case ErrorCode::kNoBuffers:
      return "no buffer space or memory";
    case ErrorCode::kNotConnected:
      return "not connected";
    case ErrorCode::kNotSupported:
      return "not supported";
    case ErrorCode::kStopped:
      return "stopped";
    case ErrorCode::kTimedOut:
      return "timed out";
    case ErrorCode::kTooManyFiles:
      return "too many open files";
    case ErrorCode::kUnknown:
      return "unknown error";
  }
  return "unknown error";
}

Error::Error(ErrorCode code, int system_code) noexcept : code_(code), system_code_(system_code) {}

Error::Error(ErrorCode code, int system_code, std::string_view where)
    : code_(code), system_code_(system_code), where_(MakeWhere(where)) {}

Error Error::At(std::string_view where) const {
  if (code_ == ErrorCode::kNone || where.empty()) return *this;
  if (where_ == nullptr) return Error(code_, system_code_, where);
  return Error(code_, system_code_, std::string(where) + ": " + *where_);
}

std::string Error::Message() const {
  std::string message;
  if (where_ != nullptr) message = *where_ + ": ";
  if (code_ == ErrorCode::kUnknown && system_code_ != 0) return message + SystemText(system_code_);
  return message.append(ToString(code_));
}

}  // namespace netcore
