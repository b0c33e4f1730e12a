// What a load run is asked to do.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace bench {

struct LoadOptions {
  std::uint16_t port = 0;
  std::size_t connections = 64;
  std::size_t message_bytes = 32;
  std::size_t pipeline = 1;      // messages in one burst
  double warm_up_seconds = 0.2;  // before anything is measured, and longer for kWarmUpMessages
  double seconds = 1;
  pid_t server = 0;
  bool sleeps = false;               // when there is nothing to do; the server then wakes it
  bool counts_system_calls = false;  // which makes each of them dearer
};

}  // namespace bench
