// RecvArea: the memory that a port receives into, one handler at a time.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include "netcore/port/completion_port.h"

namespace netcore {

/// Begins on a cache line. A kernel that copies with `rep movsb` takes twice as long to an address
/// that is no multiple of 32 (measured on an AMD EPYC, family 25: docs/benchmarks.md), and where
/// the heap puts things is a matter of luck.
///
/// Owns: the memory. Lifetime: its port's. Threads: one.
class RecvArea {
 public:
  /// Throws std::bad_alloc.
  RecvArea() : room_(new Room) {}

  std::span<std::byte> Bytes() noexcept { return room_->bytes; }

 private:
  struct alignas(64) Room {
    std::array<std::byte, CompletionPort::kMaxRecvBytes> bytes;
  };

  std::unique_ptr<Room> room_;
};

}  // namespace netcore
