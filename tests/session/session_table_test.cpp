// SessionTable against a map of what is there.
#include "netcore/session/session_table.h"

#include <algorithm>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "tests/support/catch.h"

namespace netcore {
namespace {

class Silent final : public Session {};

// A session with a slot. A place can't be moved, so it is made where it stays.
struct Guest {
  explicit Guest(SessionTable& table) : place(table.Take()) {}

  SessionRef session = std::make_shared<Silent>();
  SessionTable::Place place;
};

TEST_CASE("an id is its parts and reads as one number", "[session_table]") {
  const SessionId id = SessionId::Of(0xabcdef1, 0x234, 0x56789a);
  CHECK(id.Generation() == 0xabcdef1);
  CHECK(id.Worker() == 0x234);
  CHECK(id.Slot() == 0x56789a);
  CHECK(id.ToString() == "abcdef123456789a");
  CHECK(SessionId::Of(1, 0, 42).ToString() == "100000002a");
  CHECK(SessionId::Of(UINT32_MAX >> 4U, 4095, 0xffffff).value == UINT64_MAX);
  CHECK_FALSE(SessionId());
  CHECK(SessionId().ToString() == "0");
  CHECK(SessionId::Of(1, 0, 0));
  CHECK(SessionId::Of(1, 9, 9) < SessionId::Of(2, 0, 0));
  CHECK(std::hash<SessionId>()(id) == std::hash<SessionId>()(SessionId{id.value}));
}

TEST_CASE("a session is found from Show to Leave and at no other time", "[session_table]") {
  SessionTable table(3);
  SessionId id;
  {
    Guest guest(table);
    id = guest.place.Id();
    CHECK(id.Worker() == 3);
    CHECK(id.Generation() == 1);
    CHECK(table.Find(id) == nullptr);
    CHECK(table.Count() == 0);
    guest.place.Show(*guest.session);
    CHECK(table.Find(id) == guest.session);
    CHECK(table.Count() == 1);
    guest.place.Leave();
    CHECK(table.Find(id) == nullptr);
    CHECK(table.Count() == 0);
    CHECK(guest.place.Id() == id);
    guest.place.Leave();
  }
  Guest next(table);
  next.place.Show(*next.session);
  CHECK(next.place.Id().Slot() == id.Slot());
  CHECK(next.place.Id().Generation() == 2);
  CHECK(table.Find(id) == nullptr);
  CHECK(table.Find(next.place.Id()) == next.session);
}

TEST_CASE("numbers that were never an id find nothing", "[session_table]") {
  SessionTable table(0);
  CHECK(table.Find(SessionId()) == nullptr);
  CHECK(table.Find(SessionId::Of(1, 0, 0)) == nullptr);
  Guest guest(table);
  guest.place.Show(*guest.session);
  CHECK(table.Find(SessionId()) == nullptr);
  CHECK(table.Find(SessionId::Of(0, 0, 0)) == nullptr);
  CHECK(table.Find(SessionId::Of(2, 0, 0)) == nullptr);
  CHECK(table.Find(SessionId::Of(1, 0, 1)) == nullptr);
  CHECK(table.Find(SessionId::Of(1, 0, 0xffffff)) == nullptr);
  CHECK(table.Find(SessionId{UINT64_MAX}) == nullptr);
}

TEST_CASE("a slot whose generations are used up serves none any more", "[session_table]") {
  constexpr std::uint32_t kLast = (1U << SessionId::kGenerationBits) - 1;
  SessionTable table(0, kLast - 1);
  std::vector<SessionId> ids;
  for (int times = 0; times < 6; ++times) {
    Guest guest(table);
    guest.place.Show(*guest.session);
    CHECK(table.Find(guest.place.Id()) == guest.session);
    ids.push_back(guest.place.Id());
  }
  // Two uses a slot, then the next one.
  CHECK(ids[0] == SessionId::Of(kLast - 1, 0, 0));
  CHECK(ids[1] == SessionId::Of(kLast, 0, 0));
  CHECK(ids[2] == SessionId::Of(kLast - 1, 0, 1));
  CHECK(ids[5] == SessionId::Of(kLast, 0, 2));
  for (const SessionId id : ids) CHECK(table.Find(id) == nullptr);
}

TEST_CASE("thousands come and go at random, and each id finds its own session or nothing",
          "[session_table]") {
  const std::uint32_t seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  SessionTable table(7);
  std::list<Guest> guests;
  std::vector<SessionId> gone;
  std::map<SessionId, std::size_t> seen;
  for (int step = 0; step < 20'000; ++step) {
    if (guests.empty() || random() % 100 < (step < 10'000 ? 70U : 30U)) {
      Guest& guest = guests.emplace_back(table);
      if (random() % 8 != 0) guest.place.Show(*guest.session);
      REQUIRE(++seen[guest.place.Id()] == 1);
    } else {
      auto leaving = random() % 2 == 0 ? guests.begin() : std::prev(guests.end());
      gone.push_back(leaving->place.Id());
      guests.erase(leaving);
    }
    if (!gone.empty()) REQUIRE(table.Find(gone[random() % gone.size()]) == nullptr);
  }
  std::vector<SessionRef> shown;
  for (const Guest& guest : guests) {
    const SessionRef found = table.Find(guest.place.Id());
    if (found != nullptr) {
      REQUIRE(found == guest.session);
      shown.push_back(found);
    }
  }
  CHECK(table.Count() == shown.size());
  std::vector<SessionRef> all;
  table.AddTo(all);
  std::vector<SessionRef> own;
  table.ForEachOwn([&](Session& session) { own.push_back(session.shared_from_this()); });
  for (std::vector<SessionRef>* sessions : {&shown, &all, &own}) {
    std::sort(sessions->begin(), sessions->end());
  }
  CHECK(all == shown);
  CHECK(own == shown);
}

}  // namespace
}  // namespace netcore
