// Conversation: what the bots of one chat load share while it goes on.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "bot/flight.h"
#include "bot/latency_histogram.h"
#include "bot/load_options.h"
#include "bot/seating.h"

namespace samples {

/// Lifetime: shared by the load and its bots. Threads: any.
class Conversation {
 public:
  using Counter = std::atomic<std::uint64_t>;

  /// `run` is a number that no other conversation has.
  /// `wake`, from any thread, makes a speaker go on that had too many messages open.
  Conversation(const LoadOptions& options, LoadMode mode, std::uint32_t run,
               std::function<void(std::size_t speaker)> wake);
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  const Seating& Seats() const noexcept { return seats_; }
  std::uint32_t Run() const noexcept { return run_; }
  std::size_t MessageSize() const noexcept { return message_size_; }

  /// Whether hearing oneself is the sign to speak again.
  bool SpeaksWhenAnswered() const noexcept { return speaks_when_answered_; }

  std::chrono::nanoseconds Now() const noexcept {
    return std::chrono::steady_clock::now() - epoch_;
  }

  /// A speaker's.
  Flight& FlightOf(std::size_t client) noexcept { return flights_[client]; }

  /// A speaker says a message; returns its sequence.
  std::uint32_t Say(std::size_t client) noexcept;

  /// Somebody has heard a message for the first time. True: it was the last to.
  bool Hear(std::size_t speaker, std::uint32_t sequence) noexcept;

  /// The server said that something was wrong.
  void Complain(std::string_view what);
  std::string FirstComplaint() const;

  Counter ready{0};                   // clients that are where they belong
  Counter said{0};                    // messages
  Counter expected{0};                // deliveries of these
  Counter open{0};                    // messages that not everybody has heard
  Counter held_back{0};               // messages that were to be said while too many were open
  Counter stalled{0};                 // speakers that wait to say such a message
  Counter complaints{0};              // of the server
  std::atomic<bool> draining{false};  // nothing new is said

  LatencyHistogram round_trip;
  LatencyHistogram last_receiver;

 private:
  const Seating seats_;
  const std::uint32_t run_;
  const std::size_t message_size_;
  const bool speaks_when_answered_;
  const std::function<void(std::size_t)> wake_;
  const std::chrono::steady_clock::time_point epoch_ = std::chrono::steady_clock::now();
  std::vector<Flight> flights_;  // of all members

  mutable std::mutex mutex_;
  std::string first_complaint_;  // under mutex_
};

}  // namespace samples
