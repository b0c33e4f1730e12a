// Slots: taking, showing, finding, leaving.
#include "netcore/session/session_table.h"

#include <algorithm>
#include <bit>
#include <new>

#include "netcore/base/assert.h"

namespace netcore {
namespace {

// How many slots a walk looks at before it lets others in.
constexpr std::uint32_t kSlotsAtOnce = 128;

}  // namespace

void SessionTable::Place::Show(Session& session) noexcept { table_->Show(id_, session); }

void SessionTable::Place::Leave() noexcept {
  if (table_ == nullptr) return;
  table_->Free(id_);
  table_ = nullptr;
}

// Each chunk is as large as all before it and one of the first size.
std::size_t SessionTable::ChunkOf(std::uint32_t slot) noexcept {
  return static_cast<std::size_t>(std::bit_width(slot / kFirstChunk + 1) - 1);
}

SessionTable::Entry& SessionTable::At(std::uint32_t slot) const noexcept {
  const std::size_t chunk = ChunkOf(slot);
  return chunks_[chunk][slot + kFirstChunk - (kFirstChunk << chunk)];
}

SessionTable::Place SessionTable::Take() {
  const std::lock_guard lock(mutex_);
  if (free_ == kNone) AddSlot();
  const std::uint32_t slot = free_;
  const Entry& entry = At(slot);
  free_ = entry.next_free;
  return Place(*this, SessionId::Of(entry.generation, worker_, slot));
}

void SessionTable::AddSlot() {
  const std::uint32_t slot = used_.load(std::memory_order_relaxed);
  if (slot == kMaxSlots) throw std::bad_alloc();
  const std::size_t chunk = ChunkOf(slot);
  // Not written to: a chunk may be large, and others wait for the lock.
  if (chunks_[chunk] == nullptr) chunks_[chunk].reset(new Entry[kFirstChunk << chunk]);
  At(slot) = {nullptr, first_generation_, kNone};
  used_.store(slot + 1, std::memory_order_release);
  free_ = slot;
}

void SessionTable::Show(SessionId id, Session& session) noexcept {
  const std::lock_guard lock(mutex_);
  Entry& entry = At(id.Slot());
  NETCORE_ASSERT(entry.generation == id.Generation() && entry.session == nullptr);
  entry.session = &session;
  count_.fetch_add(1, std::memory_order_relaxed);
}

void SessionTable::Free(SessionId id) noexcept {
  const std::lock_guard lock(mutex_);
  Entry& entry = At(id.Slot());
  NETCORE_ASSERT(entry.generation == id.Generation());
  if (entry.session != nullptr) {
    entry.session = nullptr;
    count_.fetch_sub(1, std::memory_order_relaxed);
  }
  if (entry.generation == kMaxGeneration) return;  // its ids are used up
  ++entry.generation;
  entry.next_free = free_;
  free_ = id.Slot();
}

SessionRef SessionTable::Find(SessionId id) const noexcept {
  const std::lock_guard lock(mutex_);
  if (id.Slot() >= used_.load(std::memory_order_relaxed)) return {};
  const Entry& entry = At(id.Slot());
  if (entry.session == nullptr || entry.generation != id.Generation()) return {};
  return entry.session->shared_from_this();
}

// Only this thread shows and hides, so what it finds shown has the generation that it was shown
// under.
Session* SessionTable::FindOwn(SessionId id) const noexcept {
  if (id.Slot() >= used_.load(std::memory_order_acquire)) return nullptr;
  Session* const session = At(id.Slot()).session;
  return session != nullptr && session->Id() == id ? session : nullptr;
}

void SessionTable::AddTo(std::vector<SessionRef>& sessions) const {
  const std::uint32_t end = used_.load(std::memory_order_acquire);
  for (std::uint32_t begin = 0; begin < end; begin += kSlotsAtOnce) {
    if (sessions.capacity() - sessions.size() < kSlotsAtOnce) {
      sessions.reserve(2 * sessions.capacity() + kSlotsAtOnce);  // not under the lock
    }
    const std::lock_guard lock(mutex_);
    for (std::uint32_t slot = begin; slot < std::min(end, begin + kSlotsAtOnce); ++slot) {
      if (Session* const session = At(slot).session)
        sessions.push_back(session->shared_from_this());
    }
  }
}

}  // namespace netcore
