// Pinger: asks clients that have been silent for a while whether they are still there.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "netcore/base/executor.h"
#include "netcore/logic/job_queue.h"
#include "netcore/session/session_manager.h"

namespace samples::chat {

/// Counts the rounds; each session writes down in which round it heard something last. At the end
/// of a round those are pinged who heard nothing in it. Who ends the silent ones is not its affair:
/// SessionOptions::idle_timeout does.
///
/// Owns: its queue. Lifetime: shared by its job. Threads: any.
class Pinger : public std::enable_shared_from_this<Pinger> {
 public:
  /// Throws std::bad_alloc.
  explicit Pinger(std::shared_ptr<netcore::Executor> executor);

  /// Pings `sessions`, all of which are ChatSessions, every `interval`, until Stop. Once. Throws
  /// std::bad_alloc.
  void Begin(std::shared_ptr<netcore::SessionManager> sessions, std::chrono::milliseconds interval);
  void Stop() noexcept { queue_->Close(netcore::StopMode::kDrop); }

  std::uint64_t Round() const noexcept { return round_.load(std::memory_order_relaxed); }

 private:
  void Arm();
  void PingSilent();

  const netcore::JobQueueRef queue_;
  std::chrono::milliseconds interval_{0};
  std::shared_ptr<netcore::SessionManager> sessions_;
  std::atomic<std::uint64_t> round_{1};
};

}  // namespace samples::chat
