// Who sits where.
#include "bot/seating.h"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace samples {
namespace {

LoadOptions OptionsOf(std::size_t clients, std::size_t rooms, std::size_t members = 0,
                      std::size_t speakers = 0) {
  LoadOptions options;
  options.clients = clients;
  options.rooms = rooms;
  options.members = members;
  options.speakers = speakers;
  return options;
}

TEST_CASE("without rooms everybody sits in the lobby and talks", "[bot][seating]") {
  const Seating seats(OptionsOf(50, 0), LoadMode::kChat);
  CHECK(seats.IsLobby());
  CHECK(seats.NameOf(0) == "lobby");
  CHECK(seats.MemberCount() == 50);
  CHECK(seats.SizeOf(0) == 50);
  CHECK(seats.SpeakersIn(0) == 50);
  CHECK(seats.Speaks(49));
}

TEST_CASE("in a broadcast one talks to the lobby, whatever rooms there will be", "[bot][seating]") {
  const Seating seats(OptionsOf(50, 3, 10, 5), LoadMode::kBroadcast);
  CHECK(seats.IsLobby());
  CHECK(seats.SizeOf(0) == 50);
  CHECK(seats.SpeakersIn(0) == 1);
  CHECK(seats.Speaks(0));
  CHECK_FALSE(seats.Speaks(1));
}

TEST_CASE("every member has a chair of its own in one of the rooms", "[bot][seating]") {
  for (const std::size_t members : {7U, 8U, 9U, 20U}) {
    const Seating seats(OptionsOf(20, 3, members, 2), LoadMode::kChat);
    CHECK_FALSE(seats.IsLobby());
    CHECK(seats.MemberCount() == members);
    std::map<std::size_t, std::set<std::size_t>> chairs;
    std::map<std::size_t, std::size_t> speakers;
    for (std::size_t client = 0; client < 20; ++client) {
      CHECK(seats.IsMember(client) == (client < members));
      if (!seats.IsMember(client)) {
        CHECK_FALSE(seats.Speaks(client));
        continue;
      }
      const std::size_t room = seats.RoomOf(client);
      CHECK(chairs[room].insert(seats.ChairOf(client)).second);
      CHECK(seats.ChairOf(client) < seats.SizeOf(room));
      if (!seats.Speaks(client)) continue;
      ++speakers[room];
      CHECK(seats.ChairOf(client) < seats.SpeakersIn(room));
    }
    REQUIRE(chairs.size() == 3);
    std::set<std::string> names;
    for (std::size_t room = 0; room < 3; ++room) {
      CHECK(chairs[room].size() == seats.SizeOf(room));
      CHECK(speakers[room] == seats.SpeakersIn(room));
      CHECK(speakers[room] == 2);
      CHECK(names.insert(seats.NameOf(room)).second);
    }
  }
}

TEST_CASE("a room with fewer members than may talk has them all talk", "[bot][seating]") {
  const Seating seats(OptionsOf(4, 2, 0, 10), LoadMode::kChat);
  CHECK(seats.SpeakersIn(0) == 2);
  CHECK(seats.Speaks(3));
}

}  // namespace
}  // namespace samples
