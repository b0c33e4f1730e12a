// IoResult: what a completion brings.
#pragma once

#include <cstddef>
#include <span>

#include "netcore/base/endpoint.h"
#include "netcore/base/error.h"
#include "netcore/port/owned_socket.h"

namespace netcore {

/// A new connection, which no port has adopted yet, and its peer.
struct AcceptedSocket {
  OwnedSocket socket;
  Endpoint peer;
};

/// Lives until the handler returns, and so does what it points to; an accepted socket the handler
/// may move out. Made for each message, so it is small.
struct IoResult {
  Error error;

  /// False on an event's final completion. True for bytes of a recv stream, and for an accept that
  /// stays posted after it met a connection whose peer was gone (kConnectionAborted).
  bool more = false;

  /// Send: how many bytes left, also when it failed.
  std::size_t bytes = 0;

  /// Recv: what arrived, lent until the handler returns, the handler's to change. Empty, without an
  /// error and without `more`: the peer has closed its write side.
  std::span<std::byte> data;

  /// Accept: what was accepted; null with an error.
  AcceptedSocket* accepted = nullptr;
};

}  // namespace netcore
