// SessionTable: the sessions of one worker by slot, so that an id finds its session or nothing.
// Knows no group and no order.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "netcore/session/session.h"
#include "netcore/session/session_id.h"

namespace netcore {

/// Chunk 0 has 64 slots and each of the others twice as many as the one before: a slot stays where
/// it is. A table never shrinks: 16 bytes for each session that was there at the busiest time.
///
/// Owns: the slots, not the sessions: who is shown keeps itself alive. Lifetime: its manager's.
/// Threads: any, but for what says otherwise.
class SessionTable {
 public:
  /// A session's slot, from its beginning to its end. Threads: one.
  class Place {
   public:
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { Leave(); }

    /// Stays when the slot was left.
    SessionId Id() const noexcept { return id_; }

    /// From now on the id finds `session`, until Leave. Threads: the worker's.
    void Show(Session& session) noexcept;

    /// From now on the id finds nothing. Any number of times. Threads: the worker's, if it was
    /// shown.
    void Leave() noexcept;

   private:
    friend class SessionTable;
    Place(SessionTable& table, SessionId id) noexcept : table_(&table), id_(id) {}

    SessionTable* table_;  // null when the slot was left
    const SessionId id_;
  };

  /// `first_generation`, from 1 on, is for tests of the last one.
  explicit SessionTable(std::size_t worker, std::uint32_t first_generation = 1) noexcept
      : worker_(worker), first_generation_(first_generation) {}
  SessionTable(const SessionTable&) = delete;
  SessionTable& operator=(const SessionTable&) = delete;

  /// A free slot. Throws std::bad_alloc.
  [[nodiscard]] Place Take();

  /// Null if the session is not shown. `id` may be any number.
  SessionRef Find(SessionId id) const noexcept;

  /// The same without a lock or a reference. Threads: the worker's.
  Session* FindOwn(SessionId id) const noexcept;

  /// Adds those that are shown. Throws std::bad_alloc.
  void AddTo(std::vector<SessionRef>& sessions) const;

  /// How many are shown. Who was shown before a call that happened before is counted.
  std::size_t Count() const noexcept { return count_.load(std::memory_order_relaxed); }

  /// Calls `action(session)` for each that is shown; it shows and hides nobody. Threads: the
  /// worker's.
  template <typename Action>
  void ForEachOwn(Action&& action) const {
    const std::uint32_t used = used_.load(std::memory_order_acquire);
    for (std::uint32_t slot = 0; slot < used; ++slot) {
      if (Session* const session = At(slot).session) action(*session);
    }
  }

 private:
  struct Entry {
    Session* session;  // written by the worker, under the lock: there it may be read without
    std::uint32_t generation;
    std::uint32_t next_free;
  };

  static constexpr std::uint32_t kFirstChunk = 64;
  static constexpr std::size_t kChunkCount = SessionId::kSlotBits - 6;
  static constexpr std::uint32_t kMaxSlots = kFirstChunk * ((1U << kChunkCount) - 1);
  static constexpr std::uint32_t kMaxGeneration = (1U << SessionId::kGenerationBits) - 1;
  static constexpr std::uint32_t kNone = UINT32_MAX;

  static std::size_t ChunkOf(std::uint32_t slot) noexcept;
  Entry& At(std::uint32_t slot) const noexcept;
  void AddSlot();
  void Show(SessionId id, Session& session) noexcept;
  void Free(SessionId id) noexcept;

  const std::size_t worker_;
  const std::uint32_t first_generation_;
  std::array<std::unique_ptr<Entry[]>, kChunkCount> chunks_;  // grow under mutex_, before used_
  std::atomic<std::uint32_t> used_{0};                        // slots that ever were; under mutex_
  std::atomic<std::size_t> count_{0};                         // written under mutex_

  mutable std::mutex mutex_;    // a leaf, held for some loads and stores
  std::uint32_t free_ = kNone;  // the first free slot; under mutex_
};

}  // namespace netcore
