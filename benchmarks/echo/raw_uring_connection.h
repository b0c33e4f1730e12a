// RawUringConnection: what the io_uring loop remembers of one connection.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "echo/message_cutter.h"

namespace bench {

/// A plain record. Freed when the kernel has nothing of it any more.
struct RawUringConnection {
  static constexpr std::size_t kMaxSlices = 64;

  /// Bytes to be sent, and what to let go of afterwards.
  struct Piece {
    std::span<const std::byte> bytes;
    int buffer = -1;                     // goes back to the kernel; -1: none
    std::unique_ptr<std::byte[]> own{};  // a message that came in two buffers
  };

  RawUringConnection(int its_descriptor, std::size_t message_bytes)
      : descriptor(its_descriptor), cutter(message_bytes) {}

  int descriptor;
  MessageCutter cutter;
  std::vector<Piece> waiting;  // received while `leaving` is being sent
  std::vector<Piece> leaving;
  std::size_t sends_in_flight = 0;
  std::size_t bytes_in_flight = 0;
  bool is_receiving = false;
  bool is_over = false;
  msghdr header{};  // of a send of several pieces
  std::array<iovec, kMaxSlices> slices;
};

}  // namespace bench
