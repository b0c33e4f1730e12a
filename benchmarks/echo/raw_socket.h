// Sockets for the raw loops, with the options that netcore sets on its own.
#pragma once

#include <cstdint>

namespace bench {

/// A non-blocking socket that listens on 127.0.0.1 with the system's longest backlog; `port` gets
/// the real one.
int Listen(std::uint16_t& port);

/// TCP_NODELAY. An accepted connection has nothing else that a loop must set.
void SetConnectionOptions(int descriptor);

}  // namespace bench
