// What a load run is asked to do.
#pragma once

#include <chrono>
#include <cstddef>

#include "netcore/base/endpoint.h"

namespace samples {

struct LoadOptions {
  netcore::Endpoint server;
  std::size_t clients = 100;
  std::size_t message_size = 64;  // bytes
  std::size_t pipeline = 1;       // messages that a client keeps in flight
  std::chrono::seconds duration{5};

  /// How long a connect may take, and how long, after the load, answers that are still out.
  std::chrono::seconds connect_timeout{10};
  std::chrono::seconds drain_timeout{10};
};

}  // namespace samples
