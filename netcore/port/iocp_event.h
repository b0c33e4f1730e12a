// IocpEvent: one pending operation, as an OVERLAPPED with an owner is to an IOCP programmer.
// Knows no system: each port keeps its own record in the storage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace netcore {

class IocpObject;

enum class EventKind : std::uint8_t { kAccept, kConnect, kRecv, kSend };

/// Owns: the port's record, for as long as an operation is pending.
/// Lifetime: it and its owner stay, and stay where they are, from the submit until the final
/// completion. Threads: its port's own.
class IocpEvent {
 public:
  static constexpr std::size_t kRecordSize = 96;

  IocpEvent(EventKind kind, IocpObject& owner) noexcept : owner_(owner), kind_(kind) {}
  IocpEvent(const IocpEvent&) = delete;
  IocpEvent& operator=(const IocpEvent&) = delete;

  EventKind Kind() const noexcept { return kind_; }
  IocpObject& Owner() const noexcept { return owner_; }

  /// True from the submit until the final completion is handed to the owner: the owner may submit
  /// the event again from inside that very completion.
  bool IsPending() const noexcept { return pending_; }

 private:
  friend class CompletionPort;

  IocpObject& owner_;
  EventKind kind_;
  bool pending_ = false;
  alignas(std::max_align_t) std::byte record_[kRecordSize];
};

}  // namespace netcore
