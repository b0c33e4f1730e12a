// Error: what went wrong, the same value for the same event on every system. Knows no system's
// numbers: each port translates its own (ERROR_NETNAME_DELETED, ECONNRESET and EPIPE all become
// kConnectionReset).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace netcore {

enum class ErrorCode : std::uint8_t {
  kNone,
  kAccessDenied,         // no right to do this, such as to bind a port below 1024
  kAddressInUse,         // another socket holds the address
  kAddressNotAvailable,  // the address is none of this machine's
  kCancelled,            // Cancel, or an end of ours, came before the result
  kConnectionAborted,    // the peer was gone before its connection was accepted
  kConnectionRefused,    // nobody listens there
  kConnectionReset,      // RST, or a send to a peer that is gone
  kHostUnreachable,      //
  kInvalidArgument,      // an option or an address that means nothing
  kNetworkUnreachable,   //
  kNoBuffers,            // memory, of the process or the system's network, is short for now
  kNotConnected,         //
  kNotSupported,         // this system, or what it allows us, lacks the facility
  kStopped,              // asked of something that has been stopped
  kTimedOut,             //
  kTooManyFiles,         // descriptors or handles are used up for now
  kUnknown,              // see SystemCode
};

/// The code's text in lower case and without a full stop: "address already in use".
std::string_view ToString(ErrorCode code) noexcept;

/// A value: nothing wrong, or a code, the system's own number if there is one, and optionally where
/// it happened. Owns: its text, shared among copies. Copying never allocates, so a completion
/// carries one for free. Threads: as an int.
class Error {
 public:
  Error() noexcept = default;
  Error(ErrorCode code, int system_code = 0) noexcept;  // NOLINT: a code is an error

  /// `where` reads "what address", as in "bind 0.0.0.0:11021".
  Error(ErrorCode code, int system_code, std::string_view where);

  /// True when something went wrong.
  explicit operator bool() const noexcept { return code_ != ErrorCode::kNone; }

  ErrorCode Code() const noexcept { return code_; }

  /// errno, or the Windows error number; 0 where the system was not asked.
  int SystemCode() const noexcept { return system_code_; }

  /// The same error, and where it happened. A place that is already known stays behind the new one:
  /// "start: bind 0.0.0.0:11021".
  Error At(std::string_view where) const;

  /// "bind 0.0.0.0:11021: address already in use". Where the code is kUnknown: the system's own
  /// text and number.
  std::string Message() const;

  friend bool operator==(const Error& error, ErrorCode code) noexcept {
    return error.code_ == code;
  }

 private:
  ErrorCode code_ = ErrorCode::kNone;
  int system_code_ = 0;
  std::shared_ptr<const std::string> where_;
};

}  // namespace netcore
