// Prefetching: where the system tells of many sockets at a time, what each of them needs has left
// the processor's cache since it was last told of, and is asked for while others are handled.
#pragma once

#include <cstddef>
#include <cstdint>

#include "netcore/port/iocp_object.h"

namespace netcore::linux_port {

// How many are handled between the asking and the need. A socket comes first, for only it knows its
// owner.
constexpr unsigned kSocketLead = 3;
constexpr unsigned kOwnerLead = 1;

// All in line: GCC 12 takes a function that does nothing but prefetch for one without an effect,
// and leaves the call of it out.

/// Has the processor bring the `kSize` bytes from `address` on into its cache, while it does other
/// things. Reads nothing: any address will do, also of what is gone or is shorter.
template <std::size_t kSize>
[[gnu::always_inline]] inline void Prefetch(const void* address) noexcept {
  constexpr std::size_t kCacheLine = 64;
  const auto first = reinterpret_cast<std::uintptr_t>(address);
  for (std::size_t offset = 0; offset < kSize; offset += kCacheLine) {
    __builtin_prefetch(reinterpret_cast<const void*>(first + offset));
  }
  __builtin_prefetch(reinterpret_cast<const void*>(first + kSize - 1));
}

template <typename Socket>
[[gnu::always_inline]] inline void PrefetchSocket(const Socket* socket) noexcept {
  if (socket != nullptr) Prefetch<sizeof(Socket)>(socket);
}

/// Before the first of many is taken. `waiting(place)` is the socket that waits to be handled
/// behind `place` others, or null.
template <typename Waiting>
[[gnu::always_inline]] inline void PrefetchFirst(const Waiting& waiting) noexcept {
  for (unsigned place = 0; place + 1 < kSocketLead; ++place) PrefetchSocket(waiting(place));
}

/// When one is taken, and before it is handled: for those that wait behind it.
template <typename Waiting>
[[gnu::always_inline]] inline void PrefetchNext(const Waiting& waiting) noexcept {
  PrefetchSocket(waiting(kSocketLead - 1));
  if (const auto* const socket = waiting(kOwnerLead - 1)) {
    Prefetch<IocpObject::kPrefetchedSize>(socket->owner);
  }
}

}  // namespace netcore::linux_port
