// Mailbox: the one way from other threads to a reader (a worker, a job queue), first in, first out.
// Knows not who reads it nor how to wake them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "netcore/base/task.h"

namespace netcore {

/// One message. Whoever embeds one (so that sending it can't fail) keeps it alive until Deliver or
/// Discard, one of which is called once a push.
class Mail {
 public:
  Mail() = default;
  Mail(const Mail&) = delete;
  Mail& operator=(const Mail&) = delete;

  /// On the reader's thread. The mail may be pushed again, or destroyed, from inside.
  virtual void Deliver() noexcept = 0;

  /// The mailbox was closed before the mail was read. On the thread that closed it.
  virtual void Discard() noexcept = 0;

 protected:
  ~Mail() = default;

 private:
  friend class Mailbox;
  Mail* next_ = nullptr;
};

/// What a mailbox does with a task, for readers who have more to do than to run it. Threads: the
/// reader's.
class TaskRunner {
 public:
  /// It is the task's turn; right after this it is destroyed.
  virtual void RunTask(Task& task) noexcept = 0;

  /// The mailbox was closed before it was the task's turn; right after this it is destroyed.
  virtual void DropTask(Task& task) noexcept = 0;

 protected:
  ~TaskRunner() = default;
};

/// A linearizable FIFO of many writers and one reader: a push that happens before another is read
/// before it, also when two threads made them. Lock-free; a push of a task allocates only until
/// enough nodes are warm.
///
/// Owns: the mail in it. Lifetime: shared by its reader and by everyone that may write to it.
/// Threads: as said below. The reader may be one thread after another, if each knows that the one
/// before has finished.
class Mailbox {
 public:
  /// Tasks are simply run.
  Mailbox();

  /// `runner` outlives the mailbox.
  explicit Mailbox(TaskRunner& runner);
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// Closes, if nobody did.
  ~Mailbox();

  /// False when the mailbox is closed; `mail` is then untouched. Threads: any.
  [[nodiscard]] bool Push(Mail& mail) noexcept;

  /// Runs `task` on the reader's thread. False when the mailbox is closed; `task` is then
  /// destroyed. A task that throws is a bug of its writer, unless a TaskRunner catches it. Throws
  /// std::bad_alloc. Threads: any.
  [[nodiscard]] bool Push(Task task);

  /// True when mail waits, what a Deliver that is running has still before it included. Threads:
  /// the reader's. A push that happened before is always seen.
  bool HasMail() const noexcept { return unread_ != nullptr || HasUnread(); }

  /// True when something was pushed since the reader last took what was there. Sequentially
  /// consistent, for the reader's last look before it sleeps. Threads: any.
  bool HasUnread() const noexcept {
    const Mail* const newest = newest_.load(std::memory_order_seq_cst);
    return newest != nullptr && !IsClosedMark(*newest);
  }

  /// Delivers what is there now, in order; what comes meanwhile waits for the next call. Returns
  /// how many. Threads: the reader's.
  std::size_t DeliverAll() noexcept { return HasMail() ? Deliver(SIZE_MAX) : 0; }

  /// The same, but at most `most` of what is there now. The next call delivers what is left of
  /// that, before anything else is looked at. Threads: the reader's.
  std::size_t Deliver(std::size_t most) noexcept;

  /// Discards what is there and refuses what comes. Any number of times. Threads: the reader's, or
  /// any when there is no reader (any more).
  void Close() noexcept;

  /// Closes if no mail waits; no push can come in between. True when the mailbox is closed.
  /// Threads: the reader's.
  [[nodiscard]] bool CloseIfEmpty() noexcept;

 private:
  class TaskMail;
  class NodePool;

  static bool IsClosedMark(const Mail& mail) noexcept;
  void TakeInOrder(Mail* newest) noexcept;
  void DiscardUnread() noexcept;

  TaskRunner& runner_;
  const std::unique_ptr<NodePool> nodes_;
  std::atomic<Mail*> newest_;  // what was pushed last, linked to what came before it; a mark of its
                               // own once closed
  Mail* unread_ = nullptr;     // the reader's: taken out, turned round, not delivered yet
  bool delivering_ = false;    // the reader's: inside Deliver
};

}  // namespace netcore
