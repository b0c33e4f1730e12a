// What EpollPort remembers of an adopted socket, of a pending event and of an unfinished send.
#pragma once

#include <sys/epoll.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "netcore/base/error.h"
#include "netcore/base/intrusive_list.h"
#include "netcore/port/completion_port.h"
#include "netcore/port/linux/epoll_port.h"

namespace netcore::linux_port {

/// A slot holds an event while it waits for readiness, and no longer: not in the ready queue.
struct EpollPort::Socket : PortSocket, ListLink<LifeTag> {
  const IocpObject* owner = nullptr;  // of the last event; to prefetch, for it may be gone
  int descriptor = -1;
  std::uint32_t interest = 0;  // what epoll watches; 0: the descriptor is not registered
  int pending = 0;             // events between submit and final completion
  int send_error = 0;          // what a failed send was told and the recv stream was not yet
  bool recv_paused = false;
  bool overflows = false;  // a recv was as large as its room once: the next look finds more, mostly
  bool closed = false;
  IocpEvent* recv = nullptr;
  IocpEvent* send = nullptr;
  IocpEvent* connect = nullptr;
  IntrusiveList<Record, EventTag> accepts;  // those that wait, oldest first

  // A recv stream alone is told of once a change (edge-triggered), so that the next wait does not
  // look at the socket again, only to find it read empty. With that come the marks of what a short
  // recv may leave behind: an end of the stream, or urgent data, where a recv stops.
  static constexpr std::uint32_t kRecvAlone = EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET;

  std::uint32_t Wanted() const noexcept {
    const bool receives = recv != nullptr && !recv_paused;
    const bool out = send != nullptr || connect != nullptr;
    if (receives && !out && !overflows) return kRecvAlone;
    const bool in = receives || !accepts.IsEmpty();
    return (in ? std::uint32_t{EPOLLIN} : 0U) | (out ? std::uint32_t{EPOLLOUT} : 0U);
  }
};

struct EpollPort::Record : ListLink<EventTag> {
  Record(IocpEvent& its_event, Socket& its_socket) noexcept
      : event(its_event), socket(its_socket) {}

  IocpEvent& event;
  Socket& socket;
  Unsent* unsent = nullptr;
  std::size_t bytes = 0;
  Error error{};
  bool ready = false;  // the result stands and is in the ready queue
  bool held = false;   // the result stands; the stream's pause keeps it back
};

struct EpollPort::Unsent {
  std::array<iovec, kMaxSendSlices> slices;  // those from `first` on
  std::size_t first = 0;
  std::size_t end = 0;
  Unsent* next_spare = nullptr;

  bool Empty() const noexcept { return first == end; }
  std::span<iovec> Waiting() noexcept { return std::span(slices).subspan(first, end - first); }

  void Consume(std::size_t bytes) noexcept {
    while (first < end && bytes >= slices[first].iov_len) bytes -= slices[first++].iov_len;
    if (bytes == 0) return;
    slices[first].iov_base = static_cast<std::byte*>(slices[first].iov_base) + bytes;
    slices[first].iov_len -= bytes;
  }
};

}  // namespace netcore::linux_port
