// Flight: which messages of one speaker have not reached everybody yet. At most kSlots at a time,
// so that its memory has a bound.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "bot/sequence_check.h"

namespace samples {

/// Threads: the speaker's own for HasRoom and Depart, any for the rest.
class Flight {
 public:
  static constexpr std::uint32_t kSlots = SequenceCheck::kWindow;

  /// False while a message that left kSlots ago is still awaited by somebody.
  bool HasRoom() const noexcept { return SlotOf(departed_.load()).load() == 0; }

  /// The next message leaves, for so many receivers; returns its sequence, which counts from 0.
  std::uint32_t Depart(std::uint32_t receivers) noexcept {
    const std::uint32_t sequence = departed_.load();
    SlotOf(sequence).store(receivers);
    departed_.store(sequence + 1);
    return sequence;
  }

  bool HasDeparted(std::uint32_t sequence) const noexcept { return sequence < departed_.load(); }

  /// One receiver has it, for the first time, of those that have departed. True: it was the last.
  bool Arrive(std::uint32_t sequence) noexcept { return SlotOf(sequence).fetch_sub(1) == 1; }

 private:
  using Slot = std::atomic<std::uint32_t>;  // how many still wait

  Slot& SlotOf(std::uint32_t sequence) noexcept { return slots_[sequence % kSlots]; }
  const Slot& SlotOf(std::uint32_t sequence) const noexcept { return slots_[sequence % kSlots]; }

  std::atomic<std::uint32_t> departed_{0};
  std::array<Slot, kSlots> slots_{};
};

}  // namespace samples
