// IoResult: what a completion brings.
#pragma once

#include <cstddef>
#include <span>

#include "netcore/base/endpoint.h"
#include "netcore/base/error.h"
#include "netcore/port/owned_socket.h"

namespace netcore {

/// Lives until the handler returns; what it owns (an accepted socket) the handler may move out.
struct IoResult {
  Error error;

  /// False on an event's final completion. Only a recv stream ever says true.
  bool more = false;

  /// Send: how many bytes left, also when it failed.
  std::size_t bytes = 0;

  /// Recv: what arrived, lent until the handler returns, the handler's to change. Empty, without an
  /// error and without `more`: the peer has closed its write side.
  std::span<std::byte> data;

  /// Accept: the new connection, which no port has adopted yet, and its peer.
  OwnedSocket socket;
  Endpoint peer;
};

}  // namespace netcore
