// SessionId: a session by number: what logs show, and what to keep instead of a reference.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace netcore {

///      63          36 35       24 23          0
///     [  generation  |  worker   |    slot     ]
///
/// A slot serves one session after another, and each of them has the slot's next generation: the id
/// of a session that has ended finds nothing. A slot whose generations are used up, after 268
/// million sessions, serves none any more, so that no id comes twice in one service or connector.
///
/// Threads: as an int.
struct SessionId {
  static constexpr unsigned kSlotBits = 24;
  static constexpr unsigned kWorkerBits = 12;
  static constexpr unsigned kGenerationBits = 28;

  static constexpr SessionId Of(std::uint32_t generation, std::size_t worker,
                                std::uint32_t slot) noexcept {
    return {(std::uint64_t{generation} << (kWorkerBits + kSlotBits)) |
            (std::uint64_t{worker} << kSlotBits) | slot};
  }

  constexpr std::uint32_t Generation() const noexcept {
    return static_cast<std::uint32_t>(value >> (kWorkerBits + kSlotBits));
  }
  constexpr std::size_t Worker() const noexcept {
    return static_cast<std::size_t>((value >> kSlotBits) & ((1U << kWorkerBits) - 1));
  }
  constexpr std::uint32_t Slot() const noexcept {
    return static_cast<std::uint32_t>(value & ((1U << kSlotBits) - 1));
  }

  /// True if it is a session's: of one that lives, or of one that has ended.
  explicit constexpr operator bool() const noexcept { return value != 0; }

  /// The value as a hexadecimal number, "100000002a"; "0" for none.
  std::string ToString() const;

  friend constexpr auto operator<=>(const SessionId&, const SessionId&) noexcept = default;

  std::uint64_t value = 0;  // 0: none
};

}  // namespace netcore

template <>
struct std::hash<netcore::SessionId> {
  std::size_t operator()(const netcore::SessionId& id) const noexcept {
    return std::hash<std::uint64_t>()(id.value);
  }
};
