// RoomTable: the rooms by name. A room is there as long as somebody is in it or on the way into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "chat/room.h"
#include "netcore/base/executor.h"

namespace samples::chat {

/// Who goes into a room counts as an occupant from Enter on, before the room itself knows: so it
/// can't vanish under somebody who is on the way. The lobby never does.
///
/// Owns: a share in each room. Lifetime: its chat's. Threads: any. Its lock is held for one look-up
/// or one list; the executor's alone may be taken under it.
class RoomTable {
 public:
  /// Throws std::bad_alloc.
  RoomTable(Chat& chat, std::shared_ptr<netcore::Executor> executor);
  RoomTable(const RoomTable&) = delete;
  RoomTable& operator=(const RoomTable&) = delete;

  /// The room, made if need be, with one occupant more. Null if there are too many rooms. Throws
  /// std::bad_alloc.
  RoomRef Enter(std::string_view name);
  RoomRef EnterLobby() noexcept;

  /// One occupant less. The last one takes the room out; who is in a job of it still has to hold
  /// it.
  void Exit(Room& room) noexcept;

  /// "room<TAB>occupants", a line each, sorted. Throws std::bad_alloc.
  std::string List() const;

  std::size_t Count() const noexcept;

 private:
  struct Entry {
    RoomRef room;
    std::size_t occupants = 0;
  };

  RoomRef Make(std::string_view name);

  Chat& chat_;
  const std::shared_ptr<netcore::Executor> executor_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> rooms_;
  std::uint64_t last_group_ = 0;
};

}  // namespace samples::chat
