// The scenario "chat": the whole chat server with clients that do all that its protocol has, and
// much that it forbids, until they have gone or the server stops among them.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "chat/chat.h"
#include "tests/sim/chat_guest.h"
#include "tests/sim/scenario_parts.h"
#include "tests/sim/scenarios.h"

namespace netcore::test {
namespace {

using samples::chat::Chat;
using samples::chat::ChatOptions;
using std::chrono::milliseconds;
using std::chrono::seconds;

ChatGuestRef NewGuest(const ChatPartyRef& party, const ChatHabits& habits) {
  auto guest = std::make_shared<ChatGuest>(party, habits);
  if (party->world.Connect(kPort, guest)) return nullptr;
  return guest;
}

// Most talk for a while; some come only to go, some are silent, one of ten does not always read.
ChatHabits DrawHabits(SimRandom& random) {
  ChatHabits habits;
  habits.pause = milliseconds(random.Between(20, 600));
  habits.steps = random.OneIn(3) ? random.Below(3) : random.Between(5, 40);
  habits.answers_pings = !random.OneIn(4);
  habits.stops_reading = random.OneIn(10);
  if (!random.OneIn(8)) return habits;
  habits.steps = random.Below(4);
  habits.pause = seconds(10);
  return habits;
}

ChatOptions DrawChatOptions(ChatParty& party, milliseconds ping_interval) {
  SimRandom& random = party.world.Random();
  ChatOptions options;
  options.history = random.OneIn(4) ? random.Below(3) : 20;
  options.max_rooms = random.OneIn(4) ? 3 : 1'000;
  options.announce_limit = random.OneIn(2) ? 4 : 32;
  options.ping_interval = ping_interval;
  party.history = options.history;
  party.is_full_of_rooms = options.max_rooms < party.rooms.size();
  return options;
}

SessionOptions DrawSessionOptions(ChatParty& party) {
  SimRandom& random = party.world.Random();
  SessionOptions options;
  options.on_peer_close = PeerClose::kKeepOpen;
  options.frame_timeout = seconds(30);
  options.max_send_queue_bytes = (random.OneIn(3) ? 70U : 1'024U) * 1024;
  options.socket.send_buffer_bytes = random.OneIn(2) ? 0 : 4'096;
  options.socket.recv_buffer_bytes = random.OneIn(2) ? 0 : 2'048;
  if (random.OneIn(2)) options.idle_timeout = seconds(random.Between(3, 12));
  party.hangs_up = options.idle_timeout > milliseconds::zero() ||
                   options.max_send_queue_bytes < std::size_t{1} * 1024 * 1024;
  return options;
}

// Once nothing goes wrong any more: who is there is answered, is heard, and sees who else is there.
void CheckAllAreServed(const ChatPartyRef& party, const Service& service) {
  SimWorld& world = party->world;
  party->is_acting = false;
  for (const ChatGuestRef& guest : std::vector(party->guests)) {
    guest->ResumeRecv();
    if (guest->IsSilent()) guest->Disconnect();
  }
  world.RunFor(FaultPlan::kLongestStall + seconds(10));
  const auto all = [&](const auto& holds) {
    return world.RunUntil(
        [&] { return std::all_of(party->guests.begin(), party->guests.end(), holds); });
  };
  const auto is_answered = [](const ChatGuestRef& guest) { return guest->IsAnswered(); };
  world.Check(all(is_answered), "a client waits for an answer for ever");
  for (const ChatGuestRef& guest : party->guests) guest->Say();
  world.Check(all(is_answered), "a client does not hear itself");
  world.Check(world.RunUntil([&] { return service.Stats().sessions == party->guests.size(); }),
              "the server has sessions of clients that are gone");
  for (const ChatGuestRef& guest : party->guests) guest->Who();
  world.Check(all(is_answered), "a client is not told who is there");
  for (const ChatGuestRef& guest : party->guests) {
    std::vector<std::string> names;
    for (const ChatGuestRef& other : party->guests) {
      if (other->RoomName() == guest->RoomName()) names.push_back(other->Name());
    }
    std::sort(names.begin(), names.end());
    if (guest->IsConnected()) world.Check(guest->Others() == names, "a room has others in it");
  }
}

// When all have left, whoever comes then finds everything as at the beginning.
void CheckNothingIsKept(const ChatPartyRef& party, const Service& service, const Chat& chat) {
  SimWorld& world = party->world;
  for (const ChatGuestRef& guest : std::vector(party->guests)) guest->Go();
  world.Check(world.RunUntil([&] { return service.Stats().sessions == 0; }),
              "the server has sessions when all clients have gone");
  world.RunFor(seconds(1));  // until their rooms know
  const ChatGuestRef newcomer = NewGuest(party, {});
  world.Check(newcomer != nullptr && world.RunUntil([&] { return newcomer->IsConnected(); }),
              "a newcomer is not let in");
  for (const std::string& name : party->names) newcomer->Rename(name);
  newcomer->Move(party->rooms.back());
  newcomer->Say();
  newcomer->Who();
  world.Check(world.RunUntil([&] { return newcomer->IsAnswered(); }), "a newcomer is not served");
  world.Check(newcomer->Name() == party->names.back(), "a name is not free when its owner is gone");
  world.Check(newcomer->RoomName() == party->rooms.back() && newcomer->Others().size() == 1,
              "a room is not empty when all have left");
  world.Check(chat.Stats().rooms == 2 && chat.Stats().names == 1, "a room or a name is left over");
  newcomer->Disconnect();
  world.Check(world.RunUntil([&] { return service.Stats().sessions == 0; }),
              "a newcomer does not go");
}

}  // namespace

void ChatScenario(SimWorld& world) {
  SimRandom& random = world.Random();
  const auto party = std::make_shared<ChatParty>(world);
  party->names = {"ann", "bob", "Zo\xc3\xab", "a: b", "joined left", ""};
  for (int count = 0; count < 32; ++count) party->names.back() += "\xe5\x90\x8d";
  party->rooms = {"lobby", "attic",
                  "K\xc3\xbc"
                  "che",
                  "cellar 2", "a:b"};
  party->is_short_of_memory = random.OneIn(2);
  const SessionOptions options = DrawSessionOptions(*party);
  const auto chat =
      std::make_shared<Chat>(world.Logic(), DrawChatOptions(*party, options.idle_timeout / 3));
  Service& service = world.Listen(kPort, chat->Sessions(), options);
  chat->BeginPings(service.Sessions());
  do {
    if (party->is_short_of_memory) FailSomeAllocation(world);
    const Duration length = seconds(random.Between(2, 6));
    for (std::uint32_t count = random.Between(8, 24); count > 0; --count) {
      world.After(world.DrawTime(length), [party] {
        if (party->is_acting) NewGuest(party, DrawHabits(party->world.Random()));
      });
    }
    world.RunFor(length);
  } while (!world.HasFailed() && !HasEnough(world));

  // It stops among them, or when all have gone.
  const bool stops_early = random.OneIn(3);
  if (!stops_early) {
    world.Faults().Stop();
    world.FailAllocation(0);
    CheckAllAreServed(party, service);
    CheckNothingIsKept(party, service, *chat);
  }
  party->hangs_up = true;
  service.Stop(milliseconds(random.OneIn(2) ? 0 : random.Below(2'000)));
  if (random.OneIn(2)) world.RunFor(milliseconds(random.Below(500)));
  world.Check(service.WaitStopped().complete, "the server does not stop");
  party->is_acting = false;
  // Who could not be taken out for lack of memory would be by the next who came.
  const auto is_empty = [&] { return chat->Stats().names == 0 && chat->Stats().rooms == 1; };
  world.Check(world.RunUntil(is_empty) || (stops_early && party->is_short_of_memory),
              "a room or a name is left over when the server has stopped");
  chat->Stop();
  party->ledger.CheckAll(party->is_short_of_memory);
}

}  // namespace netcore::test
