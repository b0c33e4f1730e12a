// IoUringRoom: waits for room to send where the ring can't. Knows sockets; knows no event.
#pragma once

#include "netcore/base/error.h"

namespace netcore::linux_port {

struct IoUringSocket;

/// The ring waits for EPOLLRDHUP along with whatever it is asked to wait for (IO_POLL_UNMASK in the
/// kernel's poll.c). Once the peer has closed its write side that is always there: a send that
/// finds no room tries 128 times in a row and is then handed to a kernel thread. An epoll instance
/// reports only what it is asked for; the ring waits for that one instead.
///
/// Owns: the epoll instance. Lifetime, Threads: as its port.
class IoUringRoom {
 public:
  IoUringRoom() = default;
  IoUringRoom(const IoUringRoom&) = delete;
  IoUringRoom& operator=(const IoUringRoom&) = delete;
  ~IoUringRoom();

  [[nodiscard]] Error Create();

  /// What is readable while Take has something to give.
  int Descriptor() const noexcept { return epoll_; }

  /// Waits for room on `socket`, once. False when memory is short.
  [[nodiscard]] bool Await(IoUringSocket& socket) noexcept;

  /// Waits no longer. Harmless where nothing was awaited.
  void Forget(IoUringSocket& socket) noexcept;

  /// A socket that has room, or a fault that a send will tell of, and is no longer waited for; null
  /// when there is none.
  IoUringSocket* Take() noexcept;

 private:
  int epoll_ = -1;
};

}  // namespace netcore::linux_port
