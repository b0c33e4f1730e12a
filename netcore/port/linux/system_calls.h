// The system calls of each message, without the C library's wrappers: in a program of several
// threads these open and close a door for pthread_cancel around each call, by two atomic
// operations and some dozen instructions that are cold by then. Nobody cancels our threads.
#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <span>

namespace netcore::linux_port {

/// As recv(2).
inline ssize_t CallRecv(int descriptor, std::span<std::byte> room, int flags) noexcept {
  return ::syscall(SYS_recvfrom, descriptor, room.data(), room.size(), flags, nullptr, nullptr);
}

/// As send(2).
inline ssize_t CallSend(int descriptor, std::span<const std::byte> bytes, int flags) noexcept {
  return ::syscall(SYS_sendto, descriptor, bytes.data(), bytes.size(), flags, nullptr, 0);
}

/// As sendmsg(2).
inline ssize_t CallSendmsg(int descriptor, const msghdr& message, int flags) noexcept {
  return ::syscall(SYS_sendmsg, descriptor, &message, flags);
}

/// As epoll_wait(2).
inline int CallEpollWait(int epoll, std::span<epoll_event> events, int milliseconds) noexcept {
  const auto most = static_cast<int>(events.size());
#ifdef SYS_epoll_wait
  const long ready = ::syscall(SYS_epoll_wait, epoll, events.data(), most, milliseconds);
#else
  const long ready =
      ::syscall(SYS_epoll_pwait, epoll, events.data(), most, milliseconds, nullptr, 0);
#endif
  return static_cast<int>(ready);
}

}  // namespace netcore::linux_port
