// A heap of early keys; see the drawing in the header.
#include "netcore/base/timer_queue.h"

#include <algorithm>

#include "netcore/base/assert.h"

namespace netcore {
namespace {

constexpr std::size_t kChildren = 4;  // flatter than two: fewer cache lines a sift

}  // namespace

Timer::~Timer() {
  if (queue_ != nullptr) queue_->Cancel(*this);
}

TimerQueue::~TimerQueue() { NETCORE_ASSERT(entries_.empty()); }

void TimerQueue::Reserve(std::size_t count) {
  if (count > entries_.capacity()) entries_.reserve(std::max(count, 2 * entries_.capacity()));
}

void TimerQueue::Arm(Timer& timer, TimePoint deadline) {
  if (deadline == kNever) {
    Cancel(timer);
    return;
  }
  const bool postponed = firing_ && deadline <= firing_now_;
  if (timer.queue_ == nullptr) {
    Append(timer, deadline, postponed);
    return;
  }
  NETCORE_ASSERT(timer.queue_ == this);
  const std::size_t position = timer.position_;
  if (postponed || position >= HeapSize()) {
    Remove(position);
    Append(timer, deadline, postponed);  // into the room that it has just left
    return;
  }
  timer.deadline_ = deadline;
  if (deadline >= entries_[position].key) return;
  entries_[position].key = deadline;
  entries_[position].sequence = next_sequence_++;
  SiftUp(position);
}

void TimerQueue::Cancel(Timer& timer) noexcept {
  if (timer.queue_ == nullptr) return;
  NETCORE_ASSERT(timer.queue_ == this);
  Remove(timer.position_);
}

TimePoint TimerQueue::NextDeadline() const noexcept {
  TimePoint next = HeapSize() > 0 ? entries_.front().key : kNever;
  for (std::size_t i = HeapSize(); i < entries_.size(); ++i) next = std::min(next, entries_[i].key);
  return next;
}

std::size_t TimerQueue::FireDue(TimePoint now) noexcept {
  NETCORE_ASSERT(!firing_);
  firing_ = true;
  firing_now_ = now;
  std::size_t fired = 0;
  while (HeapSize() > 0 && entries_.front().key <= now) {
    Timer& timer = *entries_.front().timer;
    if (timer.deadline_ > entries_.front().key) {  // was moved later meanwhile
      entries_.front().key = timer.deadline_;
      SiftDown(0);
      continue;
    }
    Remove(0);
    ++fired;
    timer.OnTimer(now);
  }
  firing_ = false;
  QueuePostponed();
  return fired;
}

bool TimerQueue::Before(const Entry& a, const Entry& b) noexcept {
  return a.key != b.key ? a.key < b.key : a.sequence < b.sequence;
}

void TimerQueue::Append(Timer& timer, TimePoint deadline, bool postponed) {
  NETCORE_ASSERT(entries_.size() < Timer::kNotQueued);
  const Entry entry{deadline, next_sequence_++, &timer};
  entries_.push_back(entry);
  timer.queue_ = this;
  timer.deadline_ = deadline;
  if (postponed) {
    ++postponed_count_;
    Put(entries_.size() - 1, entry);
    return;
  }
  // The first of the postponed ones makes room at the heap's end; the heap is one larger by now.
  const std::size_t position = HeapSize() - 1;
  if (postponed_count_ > 0) Put(entries_.size() - 1, entries_[position]);
  Put(position, entry);
  SiftUp(position);
}

void TimerQueue::Remove(std::size_t position) noexcept {
  Timer& timer = *entries_[position].timer;
  const std::size_t heap_size = HeapSize();
  const Entry last = entries_.back();
  if (position >= heap_size) {
    --postponed_count_;
    Put(position, last);
    entries_.pop_back();
  } else {
    // The heap's last fills the gap, and the last postponed one fills the gap that this leaves.
    const Entry moved = entries_[heap_size - 1];
    Put(heap_size - 1, last);
    entries_.pop_back();
    if (position < heap_size - 1) {
      Put(position, moved);
      SiftUp(position);
      SiftDown(moved.timer->position_);
    }
  }
  timer.queue_ = nullptr;
  timer.deadline_ = kNever;
  timer.position_ = Timer::kNotQueued;
}

void TimerQueue::Put(std::size_t position, const Entry& entry) noexcept {
  entries_[position] = entry;
  entry.timer->position_ = static_cast<std::uint32_t>(position);
}

void TimerQueue::SiftUp(std::size_t position) noexcept {
  const Entry entry = entries_[position];
  while (position > 0) {
    const std::size_t parent = (position - 1) / kChildren;
    if (!Before(entry, entries_[parent])) break;
    Put(position, entries_[parent]);
    position = parent;
  }
  Put(position, entry);
}

void TimerQueue::SiftDown(std::size_t position) noexcept {
  const Entry entry = entries_[position];
  const std::size_t size = HeapSize();
  for (;;) {
    const std::size_t first = position * kChildren + 1;
    if (first >= size) break;
    std::size_t least = first;
    for (std::size_t child = first + 1; child < std::min(first + kChildren, size); ++child)
      if (Before(entries_[child], entries_[least])) least = child;
    if (!Before(entries_[least], entry)) break;
    Put(position, entries_[least]);
    position = least;
  }
  Put(position, entry);
}

void TimerQueue::QueuePostponed() noexcept {
  while (postponed_count_ > 0) {
    --postponed_count_;
    SiftUp(HeapSize() - 1);
  }
}

}  // namespace netcore
