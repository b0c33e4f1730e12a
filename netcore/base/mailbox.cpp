// The stack that turns into a queue, and the nodes that tasks travel in.
#include "netcore/base/mailbox.h"

#include <array>
#include <bit>
#include <cstdint>
#include <utility>

#include "netcore/base/assert.h"

namespace netcore {
namespace {

// Stands at the head of a closed mailbox. Never called, never written to.
class ClosedMark final : public Mail {
 public:
  constexpr ClosedMark() = default;
  void Deliver() noexcept override {}
  void Discard() noexcept override {}
};

Mail* Closed() noexcept {
  static constinit ClosedMark mark;
  return &mark;
}

class PlainRunner final : public TaskRunner {
 public:
  constexpr PlainRunner() = default;
  void RunTask(Task& task) noexcept override { task(); }
  void DropTask(Task&) noexcept override {}
};

constinit PlainRunner plain_runner;

}  // namespace

/// A task on its way. Owns: the task, until right after it ran.
class Mailbox::TaskMail final : public Mail {
 public:
  static constexpr std::uint32_t kNotPooled = UINT32_MAX;

  void Deliver() noexcept override;
  void Discard() noexcept override;

  Task task;
  Mailbox* mailbox = nullptr;
  std::uint32_t index = kNotPooled;
  std::atomic<std::uint32_t> next_free{0};  // read also by a writer that is about to lose its race

 private:
  void End() noexcept;
};

/// Task nodes. The free ones form a stack of indices; its head counts its changes, so that a writer
/// which read it, slept, and finds the same index there again notices (the ABA problem). They come
/// in chunks, each twice as large as the one before: a mailbox that never holds much stays small.
///
/// Owns: the pooled nodes, which stay where they are. Lifetime: its mailbox's. Threads: Take and
/// GiveBack any; Done and ReturnDone the reader's.
class Mailbox::NodePool {
 public:
  NodePool() noexcept = default;
  NodePool(const NodePool&) = delete;
  NodePool& operator=(const NodePool&) = delete;
  ~NodePool() {
    for (const std::atomic<TaskMail*>& chunk : chunks_) delete[] chunk.load();
  }

  /// A node without a task. Throws std::bad_alloc.
  TaskMail& Take() {
    std::uint64_t head = free_.load(std::memory_order_acquire);
    while (IndexOf(head) != kEnd) {
      TaskMail& node = At(IndexOf(head));
      const std::uint32_t next = node.next_free.load(std::memory_order_relaxed);
      if (free_.compare_exchange_weak(head, Successor(head, next), std::memory_order_acq_rel,
                                      std::memory_order_acquire))
        return node;
    }
    return Grow();
  }

  void GiveBack(TaskMail& node) noexcept {
    if (node.index == TaskMail::kNotPooled) {
      delete &node;
    } else {
      GiveBack(node.index, node);
    }
  }

  /// As GiveBack, some nodes at a time.
  void Done(TaskMail& node) noexcept {
    if (node.index == TaskMail::kNotPooled) {
      delete &node;
      return;
    }
    node.next_free.store(done_first_, std::memory_order_relaxed);
    done_first_ = node.index;
    if (done_count_++ == 0) done_last_ = &node;
    if (done_count_ == kMostDone) ReturnDone();
  }

  void ReturnDone() noexcept {
    if (done_count_ == 0) return;
    GiveBack(done_first_, *done_last_);
    done_first_ = kEnd;
    done_count_ = 0;
  }

 private:
  static constexpr std::uint32_t kEnd = UINT32_MAX;
  static constexpr std::uint32_t kFirstChunkNodes = 8;
  static constexpr std::uint32_t kMaxChunks = 13;  // 65,528 nodes; what exceeds them comes and goes
  static constexpr std::uint32_t kMostDone = 32;

  static std::uint32_t IndexOf(std::uint64_t head) noexcept {
    return static_cast<std::uint32_t>(head);
  }

  static std::uint64_t Successor(std::uint64_t head, std::uint32_t index) noexcept {
    return (((head >> 32) + 1) << 32) | index;
  }

  static constexpr std::uint32_t SizeOf(std::uint32_t chunk) noexcept {
    return kFirstChunkNodes << chunk;
  }

  // The index of its first node: what all chunks before it hold together.
  static constexpr std::uint32_t BeginOf(std::uint32_t chunk) noexcept {
    return SizeOf(chunk) - kFirstChunkNodes;
  }

  TaskMail& At(std::uint32_t index) const noexcept {
    const auto chunk = static_cast<std::uint32_t>(std::bit_width(index / kFirstChunkNodes + 1)) - 1;
    return chunks_[chunk].load(std::memory_order_relaxed)[index - BeginOf(chunk)];
  }

  // Puts a chain of free nodes, linked from `first` to `last`, on the stack.
  void GiveBack(std::uint32_t first, TaskMail& last) noexcept {
    std::uint64_t head = free_.load(std::memory_order_relaxed);
    do {
      last.next_free.store(IndexOf(head), std::memory_order_relaxed);
    } while (!free_.compare_exchange_weak(head, Successor(head, first), std::memory_order_release,
                                          std::memory_order_relaxed));
  }

  // Writers that find the stack empty at the same time each add a chunk.
  TaskMail& Grow() {
    std::uint32_t chunk = chunk_count_.load(std::memory_order_relaxed);
    std::unique_ptr<TaskMail[]> nodes;
    do {
      if (chunk >= kMaxChunks) return *new TaskMail;
      nodes = std::make_unique<TaskMail[]>(SizeOf(chunk));
    } while (!chunk_count_.compare_exchange_strong(chunk, chunk + 1, std::memory_order_relaxed));
    const std::uint32_t first = BeginOf(chunk);
    for (std::uint32_t i = 0; i < SizeOf(chunk); ++i) {
      nodes[i].index = first + i;
      nodes[i].next_free.store(first + i + 1, std::memory_order_relaxed);
    }
    TaskMail* const added = nodes.release();
    chunks_[chunk].store(added, std::memory_order_relaxed);  // published by GiveBack's release
    GiveBack(first + 1, added[SizeOf(chunk) - 1]);
    return added[0];
  }

  std::atomic<std::uint64_t> free_{kEnd};  // changes so far, and the index of the first free node
  std::atomic<std::uint32_t> chunk_count_{0};
  std::array<std::atomic<TaskMail*>, kMaxChunks> chunks_{};
  std::uint32_t done_first_ = kEnd;  // the reader's: a chain of nodes not yet given back
  std::uint32_t done_count_ = 0;
  TaskMail* done_last_ = nullptr;
};

void Mailbox::TaskMail::Deliver() noexcept {
  mailbox->runner_.RunTask(task);
  End();
}

void Mailbox::TaskMail::Discard() noexcept {
  mailbox->runner_.DropTask(task);
  End();
}

void Mailbox::TaskMail::End() noexcept {
  task = Task();
  mailbox->nodes_->Done(*this);
}

Mailbox::Mailbox() : Mailbox(plain_runner) {}

Mailbox::Mailbox(TaskRunner& runner)
    : runner_(runner), nodes_(std::make_unique<NodePool>()), newest_(nullptr) {}

Mailbox::~Mailbox() { Close(); }

bool Mailbox::Push(Mail& mail) noexcept {
  Mail* newest = newest_.load(std::memory_order_relaxed);
  do {
    if (newest == Closed()) return false;
    mail.next_ = newest;
  } while (!newest_.compare_exchange_weak(newest, &mail, std::memory_order_seq_cst,
                                          std::memory_order_relaxed));
  return true;
}

bool Mailbox::Push(Task task) {
  NETCORE_ASSERT(task);
  if (newest_.load(std::memory_order_relaxed) == Closed()) return false;
  TaskMail& node = nodes_->Take();
  node.mailbox = this;
  node.task = std::move(task);
  if (Push(node)) return true;
  node.task = Task();
  nodes_->GiveBack(node);
  return false;
}

bool Mailbox::IsClosedMark(const Mail& mail) noexcept { return &mail == Closed(); }

std::size_t Mailbox::Deliver(std::size_t most) noexcept {
  NETCORE_ASSERT(!delivering_);
  if (unread_ == nullptr) {
    if (!HasUnread()) return 0;
    // Only the reader closes, so what is there now is mail.
    TakeInOrder(newest_.exchange(nullptr, std::memory_order_seq_cst));
  }
  delivering_ = true;
  std::size_t count = 0;
  while (unread_ != nullptr && count < most) {
    Mail& mail = *unread_;
    unread_ = mail.next_;
    ++count;
    mail.Deliver();
  }
  nodes_->ReturnDone();
  delivering_ = false;
  return count;
}

void Mailbox::Close() noexcept {
  Mail* const newest = newest_.exchange(Closed(), std::memory_order_seq_cst);
  DiscardUnread();  // closed from inside Deliver: the rest of that batch came first
  if (newest == Closed()) return;
  TakeInOrder(newest);
  DiscardUnread();
}

bool Mailbox::CloseIfEmpty() noexcept {
  if (unread_ != nullptr) return false;
  Mail* newest = nullptr;
  return newest_.compare_exchange_strong(newest, Closed(), std::memory_order_seq_cst) ||
         newest == Closed();
}

void Mailbox::TakeInOrder(Mail* newest) noexcept {
  while (newest != nullptr) {
    Mail* const older = std::exchange(newest->next_, unread_);
    unread_ = std::exchange(newest, older);
  }
}

void Mailbox::DiscardUnread() noexcept {
  while (unread_ != nullptr) {
    Mail& mail = *unread_;
    unread_ = mail.next_;
    mail.Discard();
  }
}

}  // namespace netcore
