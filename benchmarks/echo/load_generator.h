// LoadGenerator: many connections that each send a burst of messages, wait until all of it has come
// back, and send the next. An epoll loop of its own, the same for every server. It does not sleep
// when there is nothing to do, for it would be the server that wakes it, and pays for that.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "echo/load_options.h"
#include "echo/load_pattern.h"
#include "echo/server_meter.h"

namespace bench {

struct LoadResult {
  double seconds = 0;           // that were measured
  std::uint64_t messages = 0;   // that came back in them
  ServerMeter::Reading server;  // what the server took for them
  double client_cpu_seconds = 0;
  std::uint64_t all_messages = 0;  // from the first connection to the last burst
};

/// Owns: the connections. Threads: one.
class LoadGenerator {
 public:
  LoadGenerator(const LoadOptions& options, const LoadTarget& target);
  LoadGenerator(const LoadGenerator&) = delete;
  LoadGenerator& operator=(const LoadGenerator&) = delete;
  ~LoadGenerator();

  // Each of the three throws what went wrong: a byte that is not what was sent, one too many or too
  // few, a connection that broke. Between them nothing is under way, so that another server can
  // have its turn.

  /// Connects and warms up. Once.
  void Begin();

  /// Measures for `seconds`.
  void TakeTurn(double seconds);

  /// Closes, and returns what all turns come to. Once.
  LoadResult End();

 private:
  struct Connection {
    int descriptor = -1;
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t burst_end = 0;  // of the stream, when this burst is through
    bool waits_for_room = false;
  };

  void ConnectAll();
  void WarmUp();
  void BeginBursts();
  void RunFor(double seconds);
  void FinishBursts();
  void CheckEnds();
  void HandleEvents(int timeout_ms);
  void Receive(Connection& connection);
  void BeginBurst(Connection& connection);
  void Send(Connection& connection);
  void Watch(int operation, Connection& connection);

  const LoadOptions options_;
  const LoadTarget target_;
  const std::size_t burst_bytes_;
  const LoadPattern pattern_;
  int epoll_;
  std::vector<Connection> connections_;
  std::vector<Connection*> finished_;  // their bursts are back; the next ones are due
  // Elsewhere recv may be slow, and then its server has fewer messages at a time.
  alignas(64) std::array<std::byte, LoadPattern::kPeriod> receive_buffer_;
  std::optional<ServerMeter> meter_;  // from Begin on
  LoadResult result_;
  std::uint64_t messages_ = 0;
  std::size_t idle_count_ = 0;  // connections without a burst under way
  bool is_ending_ = false;      // no new bursts
};

}  // namespace bench
