// The list of those who wait, and whose turn it is.
#include "netcore/base/turn.h"

#include <utility>

#include "netcore/base/assert.h"

namespace netcore {
namespace {

thread_local Turn* current_turn = nullptr;

}  // namespace

Turn::Turn() noexcept {
  NETCORE_ASSERT(current_turn == nullptr);
  current_turn = this;
}

Turn::~Turn() {
  End();
  current_turn = nullptr;
}

Turn* Turn::Current() noexcept { return current_turn; }

void Turn::Add(Waiter& waiter) noexcept {
  (last_ != nullptr ? last_->next_ : first_) = &waiter;
  last_ = &waiter;
}

void Turn::End() noexcept {
  while (Waiter* const waiter = first_) {
    first_ = std::exchange(waiter->next_, nullptr);
    if (first_ == nullptr) last_ = nullptr;
    waiter->OnTurnEnd();
  }
}

}  // namespace netcore
