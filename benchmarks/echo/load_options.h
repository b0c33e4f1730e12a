// What a load run is asked to do.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace bench {

struct LoadOptions {
  std::size_t connections = 64;
  std::size_t message_bytes = 32;
  std::size_t pipeline = 1;          // messages in one burst
  double warm_up_seconds = 0.2;      // before anything is measured, and longer for kWarmUpMessages
  double seconds = 1;                // for each server
  int turns = 1;                     // that they take, each for its part of the seconds
  bool sleeps = false;               // when there is nothing to do; the server then wakes it
  bool counts_system_calls = false;  // which makes each of them dearer
};

/// A server at 127.0.0.1.
struct LoadTarget {
  std::uint16_t port = 0;
  pid_t process = 0;
};

}  // namespace bench
