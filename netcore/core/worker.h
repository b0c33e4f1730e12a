// Worker: one port, one thread inside its Dispatch, one inbox, one timer queue, and all that lives
// there. Knows residents; knows nothing of sessions and services.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "netcore/base/clock.h"
#include "netcore/base/log.h"
#include "netcore/base/timer_queue.h"
#include "netcore/buffer/owned_bytes_pool.h"
#include "netcore/buffer/send_buffer_pool.h"
#include "netcore/core/inbox.h"
#include "netcore/core/resident.h"
#include "netcore/port/completion_port.h"

namespace netcore {

/// What a watchdog reads of a worker: the hook that it is in. Threads: written by the worker, read
/// by any.
struct HookMark {
  std::atomic<const char*> name{nullptr};  // null: in no hook
  std::atomic<std::uint64_t> session{0};
  std::atomic<std::uint64_t> count{0};  // how many hooks were entered; tells one from the next
};

/// One round:  wait in the port, hand out its completions
///             -> deliver the mail -> fire the timers -> flush whoever has something to send
///             -> hand out what was done at once
///
/// Owns: the port, the timers, spare buffers. Not the residents: they own themselves.
/// Lifetime: WorkerSet's. Threads: its own, from AttachThread on, but for what says otherwise.
class Worker {
 public:
  Worker(std::size_t index, std::unique_ptr<CompletionPort> port, std::shared_ptr<const Log> log);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  /// The worker whose round this thread is in, or null. Threads: any.
  static Worker* Current() noexcept;

  std::size_t Index() const noexcept { return index_; }
  const std::shared_ptr<Inbox>& GetInbox() const noexcept { return inbox_; }
  const Log& GetLog() const noexcept { return *log_; }

  [[nodiscard]] Error AttachThread() { return port_->AttachThread(); }

  CompletionPort& Port() noexcept { return *port_; }
  TimerQueue& Timers() noexcept { return timers_; }
  SendBufferPool& Buffers() noexcept { return buffers_; }

  /// As CompletionPort::AtOnceFrom.
  std::size_t AtOnceFrom() const noexcept { return at_once_from_; }

  /// For received bytes that are kept.
  OwnedBytesPool& KeptBytes() noexcept { return kept_bytes_; }

  /// The time, no older than the last code of the user's: the clock is read by the first who asks
  /// after the round's wait, or after a hook, and by all who ask inside one.
  TimePoint Now() noexcept {
    if (now_is_old_ || mark_.name.load(std::memory_order_relaxed) != nullptr) now_ = port_->Now();
    now_is_old_ = false;
    return now_;
  }

  void Add(Resident& resident) noexcept { residents_.PushBack(resident); }
  void Remove(Resident& resident) noexcept;

  /// Room for what one gather takes, for the length of a Flush: it is cheaper to have it than to
  /// make it each time.
  std::span<SendSlice> Slices() noexcept { return slices_; }

  void FlushLater(Resident& resident) noexcept { dirty_.PushBack(resident); }

  /// Said when one resident's doing makes another one dirty, as in a room: the round then takes
  /// more of what is ready before it flushes, for that may join what waits already.
  void FlushLessOften() noexcept { takes_more_ = true; }

  /// True inside a hook of this session. (Two services may number their sessions alike.)
  bool IsInHookOf(std::uint64_t session) const noexcept {
    return mark_.session.load(std::memory_order_relaxed) == session &&
           mark_.name.load(std::memory_order_relaxed) != nullptr;
  }

  /// Passes this on to all residents.
  void StopGroup(const void* group, TimePoint deadline) noexcept;

  /// One round that waits until `deadline` at most for something to do. Returns how much it did.
  std::size_t Round(TimePoint deadline) noexcept;

  /// Ends all residents, waits for their last completions, closes the inbox and lets go of the
  /// port. Once; nothing but Index and GetInbox may be used afterwards. Threads: its own, or any if
  /// it never had one.
  void ShutDown() noexcept;

  /// Ends the wait of a round. Once. Threads: any.
  void RingOnce() noexcept { static_cast<void>(inbox_->Push(bell_)); }

  /// True while nobody lives here.
  bool IsEmpty() const noexcept { return residents_.Empty(); }

  /// True while its thread is inside a round, or in the last hooks of ShutDown.
  bool IsInUse() const noexcept { return in_use_; }

  /// True from the beginning of ShutDown: nobody may move in.
  bool IsStopping() const noexcept { return stopping_; }

  /// A session's seat on its worker, from the moment it is chosen. Threads: as a std::unique_ptr.
  class Seat {
   public:
    Seat() noexcept = default;
    explicit Seat(Worker& worker) noexcept : worker_(&worker) {
      worker.load_.fetch_add(1, std::memory_order_relaxed);
    }
    Seat(Seat&& other) noexcept : worker_(std::exchange(other.worker_, nullptr)) {}
    Seat& operator=(Seat&& other) noexcept {
      std::swap(worker_, other.worker_);
      return *this;
    }
    ~Seat() {
      if (worker_ != nullptr) worker_->load_.fetch_sub(1, std::memory_order_relaxed);
    }

    Worker& GetWorker() const noexcept { return *worker_; }

   private:
    Worker* worker_ = nullptr;
  };

  /// How many seats are taken. Threads: any.
  std::size_t Load() const noexcept { return load_.load(std::memory_order_relaxed); }

  /// Threads: any.
  const HookMark& Mark() const noexcept { return mark_; }

  /// Held while a user's hook or task runs. One at a time.
  class HookScope {
   public:
    HookScope(Worker& worker, const char* name, std::uint64_t session) noexcept : worker_(worker) {
      HookMark& mark = worker_.mark_;
      mark.session.store(session, std::memory_order_relaxed);
      mark.count.store(mark.count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      mark.name.store(name, std::memory_order_release);
    }
    HookScope(const HookScope&) = delete;
    HookScope& operator=(const HookScope&) = delete;
    ~HookScope() {
      worker_.mark_.name.store(nullptr, std::memory_order_release);
      worker_.now_is_old_ = true;
    }

   private:
    Worker& worker_;
  };

 private:
  std::size_t DispatchPort(TimePoint deadline) noexcept;
  std::size_t FlushDirty() noexcept;

  class Bell final : public Mail {
    void Deliver() noexcept override {}
    void Discard() noexcept override {}
  };

  const std::size_t index_;
  const std::shared_ptr<const Log> log_;
  std::unique_ptr<CompletionPort> port_;
  Bell bell_;
  const std::shared_ptr<Inbox> inbox_;
  const std::size_t at_once_from_;
  TimerQueue timers_;
  SendBufferPool buffers_;
  OwnedBytesPool kept_bytes_;
  std::array<SendSlice, CompletionPort::kMaxSendSlices> slices_;
  TimePoint now_;
  bool now_is_old_ = false;  // a wait has begun, or a hook has ended, since now_ was read

  ResidentList residents_ = ResidentList::OfAll();
  ResidentList dirty_ = ResidentList::OfDirty();

  bool takes_more_ = false;  // see FlushLessOften
  bool stopping_ = false;
  bool in_use_ = false;
  HookMark mark_;
  std::atomic<std::size_t> load_{0};
};

}  // namespace netcore
