// Round the rooms, one client after the other.
#include "bot/seating.h"

#include <algorithm>
#include <limits>

#include "chat/protocol.h"

namespace samples {

Seating::Seating(const LoadOptions& options, LoadMode mode) noexcept
    : is_lobby_(mode == LoadMode::kBroadcast || options.rooms == 0),
      rooms_(is_lobby_ ? 1 : options.rooms),
      members_(is_lobby_ || options.members == 0 ? options.clients : options.members),
      speakers_(options.speakers == 0 ? std::numeric_limits<std::size_t>::max()
                                      : options.speakers) {
  if (mode == LoadMode::kBroadcast) speakers_ = 1;
}

std::size_t Seating::SizeOf(std::size_t room) const noexcept {
  return members_ / rooms_ + (room < members_ % rooms_ ? 1 : 0);
}

std::size_t Seating::SpeakersIn(std::size_t room) const noexcept {
  return std::min(SizeOf(room), speakers_);
}

std::string Seating::NameOf(std::size_t room) const {
  return is_lobby_ ? std::string(chat::kLobby) : "load-" + std::to_string(room + 1);
}

}  // namespace samples
