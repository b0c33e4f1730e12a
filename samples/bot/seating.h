// Seating: which client sits in which room, and on which chair.
#pragma once

#include <cstddef>
#include <string>

#include "bot/load_options.h"

namespace samples {

/// Clients and rooms are numbered from 0; without rooms all clients sit in one, the lobby. Who is
/// no member stays where it is, says nothing and must hear nothing.
class Seating {
 public:
  Seating(const LoadOptions& options, LoadMode mode) noexcept;

  bool IsLobby() const noexcept { return is_lobby_; }
  std::size_t RoomCount() const noexcept { return rooms_; }
  std::size_t MemberCount() const noexcept { return members_; }
  std::size_t SpeakersIn(std::size_t room) const noexcept;
  std::size_t SizeOf(std::size_t room) const noexcept;

  /// The name that the chat knows it by.
  std::string NameOf(std::size_t room) const;

  bool IsMember(std::size_t client) const noexcept { return client < members_; }

  // Of members.
  std::size_t RoomOf(std::size_t client) const noexcept { return client % rooms_; }
  std::size_t ChairOf(std::size_t client) const noexcept { return client / rooms_; }
  bool Speaks(std::size_t client) const noexcept {
    return IsMember(client) && ChairOf(client) < speakers_;
  }

 private:
  bool is_lobby_;
  std::size_t rooms_;
  std::size_t members_;
  std::size_t speakers_;  // of a room, if it has so many
};

}  // namespace samples
