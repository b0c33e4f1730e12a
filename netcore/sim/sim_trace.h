// SimTrace: what happened in a simulation: a hash of all of it, the last events in words, and the
// first rule that was broken.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "netcore/base/clock.h"

namespace netcore {

enum class SimEvent : std::uint8_t {
  kRound,     // of a worker
  kClock,     // moved
  kAdopt,     // of a socket
  kSubmit,    // of an operation; the detail is its EventKind
  kComplete,  // of an operation; the detail is its EventKind
  kCancel,    // of an operation; the detail is its EventKind
  kClose,     // of a socket; the detail is the CloseMode
  kShutdown,  // of a socket's sending
  kNote,      // what a scenario or the log said
  kLogic,     // a step of a job queue; the place is its number, 0 for an alarm
};

/// Threads: one.
class SimTrace {
 public:
  static constexpr std::size_t kKept = 256;  // events that Lines tells of

  /// `place` names a port and a socket; see Place.
  void Add(TimePoint now, SimEvent event, std::uint8_t detail, std::uint64_t place,
           std::uint64_t value) noexcept;
  void AddNote(TimePoint now, std::string_view text);

  static constexpr std::uint64_t Place(std::uint32_t port, std::uint64_t socket) noexcept {
    return (std::uint64_t{port} << 40U) | socket;
  }

  /// A rule is broken: the first one is kept.
  void Fail(TimePoint now, std::string_view what);

  std::uint64_t Hash() const noexcept { return hash_; }
  std::uint64_t CompletionCount() const noexcept { return completions_; }
  std::uint64_t SubmitCount() const noexcept { return submits_; }
  std::uint64_t FinalCount() const noexcept { return finals_; }
  void CountFinal() noexcept { ++finals_; }

  /// What went wrong; empty if nothing did.
  const std::string& Failure() const noexcept { return failure_; }

  /// The last events, oldest first, one a line.
  std::vector<std::string> Lines() const;

 private:
  struct Entry {
    TimePoint at;
    SimEvent event;
    std::uint8_t detail;
    std::uint64_t place;
    std::uint64_t value;
  };

  static std::string Describe(const Entry& entry, const std::string& note);

  std::array<Entry, kKept> entries_{};
  std::array<std::string, kKept> notes_;  // beside the entries that are notes
  std::uint64_t count_ = 0;
  std::uint64_t hash_ = 0;
  std::uint64_t completions_ = 0;
  std::uint64_t submits_ = 0;
  std::uint64_t finals_ = 0;
  std::string failure_;
};

}  // namespace netcore
