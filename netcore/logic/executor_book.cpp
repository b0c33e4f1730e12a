// The lists.
#include "netcore/logic/executor_book.h"

#include <utility>

#include "netcore/base/assert.h"

namespace netcore {

void Runnable::Alarm::OnTimer(TimePoint) noexcept { owner_.book_->AddDue(owner_); }

ExecutorBook::~ExecutorBook() { NETCORE_ASSERT(IsEmpty() && ready_count_ == 0); }

bool ExecutorBook::Join(Runnable& runnable) {
  NETCORE_ASSERT(runnable.book_ == nullptr);
  if (stopping_) return false;
  alarms_.Reserve(joined_count_ + 1);
  ++joined_count_;
  runnable.book_ = this;
  runnable.number_ = ++last_number_;
  runnable.joined_before_ = last_joined_;
  (last_joined_ != nullptr ? last_joined_->joined_after_ : first_joined_) = &runnable;
  last_joined_ = &runnable;
  return true;
}

void ExecutorBook::Leave(Runnable& runnable) noexcept {
  if (runnable.book_ == nullptr) return;
  NETCORE_ASSERT(runnable.book_ == this && !runnable.alarm_.IsArmed());
  if (to_stop_ == &runnable) to_stop_ = runnable.joined_after_;
  Runnable* const before = std::exchange(runnable.joined_before_, nullptr);
  Runnable* const after = std::exchange(runnable.joined_after_, nullptr);
  (before != nullptr ? before->joined_after_ : first_joined_) = after;
  (after != nullptr ? after->joined_before_ : last_joined_) = before;
  runnable.book_ = nullptr;
  --joined_count_;
}

void ExecutorBook::AddReady(Runnable& runnable) noexcept {
  NETCORE_ASSERT(runnable.book_ == this && runnable.kept_ready_ == nullptr);
  runnable.kept_ready_ = runnable.shared_from_this();
  (last_ready_ != nullptr ? last_ready_->ready_after_ : first_ready_) = &runnable;
  last_ready_ = &runnable;
  ++ready_count_;
}

std::shared_ptr<Runnable> ExecutorBook::TakeReady(std::size_t position) noexcept {
  NETCORE_ASSERT(position < ready_count_);
  Runnable* before = nullptr;
  Runnable* taken = first_ready_;
  for (; position > 0; --position) before = std::exchange(taken, taken->ready_after_);
  Runnable* const after = std::exchange(taken->ready_after_, nullptr);
  (before != nullptr ? before->ready_after_ : first_ready_) = after;
  if (after == nullptr) last_ready_ = before;
  --ready_count_;
  return std::move(taken->kept_ready_);
}

std::shared_ptr<Runnable> ExecutorBook::SetAlarm(Runnable& runnable, TimePoint deadline) noexcept {
  NETCORE_ASSERT(runnable.book_ == this);
  alarms_.Arm(runnable.alarm_, deadline);  // Join has made room
  if (runnable.alarm_.IsArmed()) {
    if (runnable.kept_alarm_ == nullptr) runnable.kept_alarm_ = runnable.shared_from_this();
    return nullptr;
  }
  return runnable.due_ ? nullptr : std::move(runnable.kept_alarm_);
}

void ExecutorBook::AddDue(Runnable& runnable) noexcept {
  if (std::exchange(runnable.due_, true)) return;
  (last_due_ != nullptr ? last_due_->due_after_ : first_due_) = &runnable;
  last_due_ = &runnable;
}

std::shared_ptr<Runnable> ExecutorBook::TakeDue(TimePoint now) noexcept {
  if (alarms_.NextDeadline() <= now) alarms_.FireDue(now);
  if (first_due_ == nullptr) return nullptr;
  Runnable& runnable = *first_due_;
  first_due_ = std::exchange(runnable.due_after_, nullptr);
  if (first_due_ == nullptr) last_due_ = nullptr;
  runnable.due_ = false;
  // Its alarm may have been set again meanwhile.
  return runnable.alarm_.IsArmed() ? runnable.kept_alarm_ : std::move(runnable.kept_alarm_);
}

void ExecutorBook::BeginStop(StopMode mode) noexcept {
  if (stopping_ && (mode == StopMode::kDrain || stop_mode_ == StopMode::kDrop)) return;
  stopping_ = true;
  stop_mode_ = mode;
  to_stop_ = first_joined_;
}

std::shared_ptr<Runnable> ExecutorBook::TakeToStop(StopMode& mode) noexcept {
  mode = stop_mode_;
  while (to_stop_ != nullptr) {
    Runnable& runnable = *to_stop_;
    to_stop_ = runnable.joined_after_;
    // Null: it is being destroyed, and leaves.
    if (auto shared = runnable.weak_from_this().lock()) return shared;
  }
  return nullptr;
}

}  // namespace netcore
