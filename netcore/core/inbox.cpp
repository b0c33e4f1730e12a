// The bell: see the drawing in the header.
#include "netcore/core/inbox.h"

#include <thread>
#include <utility>

namespace netcore {

bool Inbox::Push(Mail& mail) noexcept {
  if (!mailbox_.Push(mail)) return false;
  Ring();
  return true;
}

bool Inbox::Push(Task task) {
  if (!mailbox_.Push(std::move(task))) return false;
  Ring();
  return true;
}

void Inbox::Ring() noexcept {
  if (!asleep_.load(std::memory_order_seq_cst)) return;
  // Whoever has counted itself may touch the port: Close waits for it. Whoever counts itself after
  // that finds the worker awake for good.
  ringing_.fetch_add(1, std::memory_order_seq_cst);
  if (asleep_.exchange(false, std::memory_order_seq_cst)) port_.Wake();
  ringing_.fetch_sub(1, std::memory_order_seq_cst);
}

bool Inbox::TrySleep() noexcept {
  asleep_.store(true, std::memory_order_seq_cst);
  if (!mailbox_.HasUnread()) return true;
  WakeUp();
  return false;
}

void Inbox::Close() noexcept {
  mailbox_.Close();
  asleep_.store(false, std::memory_order_seq_cst);
  while (ringing_.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
}

}  // namespace netcore
