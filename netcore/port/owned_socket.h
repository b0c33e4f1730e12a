// OwnedSocket: a system's socket on its way between threads, before a port adopts it.
#pragma once

#include <cstdint>
#include <utility>

namespace netcore {

/// Owns: the socket, which it closes (with a reset where it is a connection) if no port adopts it.
/// Threads: as a std::unique_ptr.
class OwnedSocket {
 public:
  using Handle = std::intptr_t;
  using Closer = void (*)(Handle handle) noexcept;

  OwnedSocket() noexcept = default;
  OwnedSocket(Handle handle, Closer closer) noexcept : handle_(handle), closer_(closer) {}
  OwnedSocket(OwnedSocket&& other) noexcept
      : handle_(std::exchange(other.handle_, 0)), closer_(std::exchange(other.closer_, nullptr)) {}
  OwnedSocket& operator=(OwnedSocket&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(closer_, other.closer_);
    return *this;
  }
  ~OwnedSocket() {
    if (closer_ != nullptr) closer_(handle_);
  }

  explicit operator bool() const noexcept { return closer_ != nullptr; }
  Handle Get() const noexcept { return handle_; }

  /// Gives the handle away; the caller closes it.
  Handle Release() noexcept {
    closer_ = nullptr;
    return std::exchange(handle_, 0);
  }

 private:
  Handle handle_ = 0;
  Closer closer_ = nullptr;
};

}  // namespace netcore
