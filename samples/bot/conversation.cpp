// What is said and what is heard.
#include "bot/conversation.h"

#include <utility>

namespace samples {

Conversation::Conversation(const LoadOptions& options, LoadMode mode, std::uint32_t run,
                           std::function<void(std::size_t)> wake)
    : seats_(options, mode),
      run_(run),
      message_size_(options.message_size),
      speaks_when_answered_(mode == LoadMode::kChat && options.rate <= 0),
      wake_(std::move(wake)),
      flights_(seats_.MemberCount()) {}

std::uint32_t Conversation::Say(std::size_t client) noexcept {
  const std::size_t receivers = seats_.SizeOf(seats_.RoomOf(client));
  expected.fetch_add(receivers);
  open.fetch_add(1);
  said.fetch_add(1);  // last: who sees that it is said sees that it is open
  return flights_[client].Depart(static_cast<std::uint32_t>(receivers));
}

bool Conversation::Hear(std::size_t speaker, std::uint32_t sequence) noexcept {
  if (!flights_[speaker].Arrive(sequence)) return false;
  open.fetch_sub(1);
  if (stalled.load() > 0) wake_(speaker);
  return true;
}

void Conversation::Complain(std::string_view what) {
  if (complaints.fetch_add(1) > 0) return;
  const std::lock_guard lock(mutex_);
  first_complaint_ = what;
}

std::string Conversation::FirstComplaint() const {
  const std::lock_guard lock(mutex_);
  return first_complaint_;
}

}  // namespace samples
