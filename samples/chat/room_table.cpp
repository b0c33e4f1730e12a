// Counting who comes and goes.
#include "chat/room_table.h"

#include <utility>

#include "chat/chat.h"
#include "chat/line_list.h"
#include "chat/protocol.h"
#include "netcore/base/assert.h"

namespace samples::chat {

RoomTable::RoomTable(Chat& chat, std::shared_ptr<netcore::Executor> executor)
    : chat_(chat), executor_(std::move(executor)) {
  rooms_.emplace(kLobby, Entry{Make(kLobby)});
}

// No group is used twice: what is on its way to a room that has vanished must not reach the next
// one of that name.
RoomRef RoomTable::Make(std::string_view name) {
  return std::make_shared<Room>(chat_, executor_, name, netcore::GroupId{++last_group_});
}

RoomRef RoomTable::Enter(std::string_view name) {
  const std::lock_guard lock(mutex_);
  auto found = rooms_.find(name);
  if (found == rooms_.end()) {
    if (rooms_.size() >= chat_.Options().max_rooms) return nullptr;
    found = rooms_.emplace(name, Entry{Make(name)}).first;
  }
  ++found->second.occupants;
  return found->second.room;
}

RoomRef RoomTable::EnterLobby() noexcept {
  const std::lock_guard lock(mutex_);
  Entry& lobby = rooms_.find(kLobby)->second;
  ++lobby.occupants;
  return lobby.room;
}

void RoomTable::Exit(Room& room) noexcept {
  RoomRef last;  // the room goes without the lock
  const std::lock_guard lock(mutex_);
  const auto found = rooms_.find(room.Name());
  NETCORE_ASSERT(found != rooms_.end() && found->second.occupants > 0);
  if (--found->second.occupants > 0 || room.Name() == kLobby) return;
  last = std::move(found->second.room);
  rooms_.erase(found);
}

std::string RoomTable::List() const {
  LineList list;
  std::string line;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, entry] : rooms_) {
    line = name;
    line.append("\t").append(std::to_string(entry.occupants));
    list.Add(line);
  }
  return std::move(list).Take();
}

std::size_t RoomTable::Count() const noexcept {
  const std::lock_guard lock(mutex_);
  return rooms_.size();
}

}  // namespace samples::chat
