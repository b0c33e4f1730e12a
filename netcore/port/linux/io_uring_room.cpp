// One epoll instance for all sends that the ring can't wait for.
#include "netcore/port/linux/io_uring_room.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

#include "netcore/port/linux/io_uring_socket.h"
#include "netcore/port/linux/linux_sockets.h"

namespace netcore::linux_port {

IoUringRoom::~IoUringRoom() {
  if (epoll_ >= 0) ::close(epoll_);
}

Error IoUringRoom::Create() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  return epoll_ >= 0 ? Error() : ErrorFromErrno(errno, "io_uring: epoll_create1");
}

bool IoUringRoom::Await(IoUringSocket& socket) noexcept {
  epoll_event watch{};
  watch.events = EPOLLOUT;
  watch.data.ptr = &socket;
  socket.awaits_room = ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket.descriptor, &watch) == 0;
  return socket.awaits_room;
}

void IoUringRoom::Forget(IoUringSocket& socket) noexcept {
  if (!socket.awaits_room) return;
  socket.awaits_room = false;
  epoll_event unused{};
  static_cast<void>(::epoll_ctl(epoll_, EPOLL_CTL_DEL, socket.descriptor, &unused));
}

IoUringSocket* IoUringRoom::Take() noexcept {
  epoll_event event{};
  int count;
  do {
    count = ::epoll_wait(epoll_, &event, 1, 0);
  } while (count < 0 && errno == EINTR);
  if (count <= 0) return nullptr;
  auto* const socket = static_cast<IoUringSocket*>(event.data.ptr);
  Forget(*socket);
  return socket;
}

}  // namespace netcore::linux_port
