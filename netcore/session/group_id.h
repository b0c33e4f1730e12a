// GroupId: which group of sessions is meant: a number of the user's own.
#pragma once

#include <cstdint>

namespace netcore {

/// A room, a zone, a party: GroupId{room_number}. Every number is one; a group is there as long as
/// it has members.
enum class GroupId : std::uint64_t {};

}  // namespace netcore
