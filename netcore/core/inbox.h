// Inbox: a worker's mailbox and its bell. A push wakes the worker, once, and only if it sleeps.
#pragma once

#include <atomic>
#include <cstddef>

#include "netcore/base/mailbox.h"
#include "netcore/port/completion_port.h"

namespace netcore {

///     writer                         reader (the worker)
///     push                           asleep_ = true
///     asleep_?  yes: false, Wake     anything unread?  yes: asleep_ = false, do not wait
///
/// Both sides are sequentially consistent: one of the two always sees the other. WakeUp need not
/// be: a writer that does not see it yet wakes who is awake.
///
/// Owns: the mail in it. Lifetime: shared by its worker and all that write to it; outlives the
/// port. Threads: as said below.
class Inbox {
 public:
  explicit Inbox(CompletionPort& port) noexcept : port_(port) {}
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  /// As Mailbox::Push. Threads: any.
  [[nodiscard]] bool Push(Mail& mail) noexcept;
  [[nodiscard]] bool Push(Task task);

  /// As Mailbox::HasMail. Threads: the worker's.
  bool HasMail() const noexcept { return mailbox_.HasMail(); }

  /// As Mailbox::DeliverAll. Threads: the worker's.
  std::size_t DeliverAll() noexcept { return mailbox_.DeliverAll(); }

  /// True: nothing waits, and from now on a push calls Wake. False: do not sleep. Threads: the
  /// worker's.
  [[nodiscard]] bool TrySleep() noexcept;

  /// After TrySleep said true, when the worker runs again. Threads: the worker's.
  void WakeUp() noexcept { asleep_.store(false, std::memory_order_release); }

  /// Discards what is there, refuses what comes, and returns when nobody will touch the port any
  /// more. Threads: the worker's, or any when it has none.
  void Close() noexcept;

 private:
  void Ring() noexcept;

  Mailbox mailbox_;
  CompletionPort& port_;
  std::atomic<bool> asleep_{false};
  std::atomic<int> ringing_{0};  // writers that may be about to call Wake
};

}  // namespace netcore
