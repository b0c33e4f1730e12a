// What a load run is asked to do.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "netcore/base/endpoint.h"

namespace samples {

enum class LoadMode : std::uint8_t {
  kEcho,       // each client gets its own bytes back
  kBroadcast,  // one speaks, and again when the last one has heard it
  kChat,       // all talk at once
};

std::string_view ToString(LoadMode mode) noexcept;

struct LoadOptions {
  netcore::Endpoint server;
  std::vector<LoadMode> modes{LoadMode::kChat};  // one after another, on the same connections
  std::size_t clients = 100;
  std::size_t message_size = 64;     // bytes
  std::chrono::seconds duration{5};  // of each mode, but for kBroadcast
  std::chrono::seconds ramp{0};      // over which the connects are spread

  std::size_t messages = 20;  // kBroadcast: how many are said
  std::size_t pipeline = 1;   // the other modes: messages that a client keeps in flight
  double rate = 0;            // or that it says a second; 0: as fast as they are answered

  std::size_t rooms = 0;     // kChat: rooms of their own, 0: the lobby
  std::size_t members = 0;   // clients that go to these rooms, 0: all
  std::size_t speakers = 0;  // members of a room that talk, 0: all

  /// How long a connect may take, how long a room may take to let everybody in, and how long, after
  /// the load, what is on its way may stay there.
  std::chrono::seconds connect_timeout{10};
  std::chrono::seconds enter_timeout{60};
  std::chrono::seconds drain_timeout{10};
};

}  // namespace samples
