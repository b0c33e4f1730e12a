// IoUringScript: what a test makes the kernel answer to an IoUringPort. Null everywhere else.
#pragma once

#include "netcore/base/endpoint.h"

namespace netcore::linux_port {

/// Real kernels refuse rings, lose cancels and report dead peers at moments that no test can
/// choose. A test that passes a script to IoUringFactory chooses them; the kernel does all the
/// rest. Every function is called on the port's thread, but for RefuseRing, which runs where the
/// port is made.
///
/// Lifetime: outlives the factory and its ports.
class IoUringScript {
 public:
  IoUringScript() = default;
  IoUringScript(const IoUringScript&) = delete;
  IoUringScript& operator=(const IoUringScript&) = delete;
  virtual ~IoUringScript() = default;

  /// Called when a ring is to be made. Returns 0, or the errno that the kernel refuses it with.
  virtual int RefuseRing() noexcept { return 0; }

  /// Called when a cancel is asked for. Returns 0, or -ENOENT or -EALREADY: the kernel then does
  /// not see the cancel, and the operation stays pending.
  virtual int RefuseCancel() noexcept { return 0; }

  /// Called instead of io_uring_enter(2) if it returns an errno; 0 makes the call.
  virtual int FailEnter() noexcept { return 0; }

  /// Called for each accepted connection. Returns 0, or the errno of getpeername(2).
  virtual int FailPeer() noexcept { return 0; }
};

}  // namespace netcore::linux_port
