// Groups: who is in, who hears a broadcast, and what becomes of both when sessions end.
#include <array>

#include "netcore/core/worker.h"
#include "tests/support/allocation_count.h"
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

constexpr GroupId kLobby{1};

bool Say(SessionManager& manager, GroupId group, std::string_view text, SessionId except = {}) {
  return manager.Broadcast(group, SendBuffer::Copy(AsBytes(text)), except);
}

std::vector<World::Pair> ConnectPairs(World& world, std::size_t count) {
  std::vector<World::Pair> pairs;
  while (pairs.size() < count) pairs.push_back(world.ConnectPair());
  return pairs;
}

bool AllReceived(World& world, const std::vector<World::Pair>& pairs, std::string_view text) {
  return world.WaitFor([&] {
    return std::all_of(pairs.begin(), pairs.end(),
                       [&](const World::Pair& pair) { return pair.client->Received() == text; });
  });
}

TEST_CASE("who has joined hears what is broadcast until it leaves, and others never do",
          "[session][groups]") {
  OnAllBackends({}, [](World& world) {
    SessionManager& manager = *world.service->Sessions();
    std::vector<World::Pair> members = ConnectPairs(world, 6);
    const World::Pair stranger = world.ConnectPair();
    CHECK(Say(manager, kLobby, "nobody hears this "));
    for (const World::Pair& pair : members) CHECK(manager.Join(kLobby, pair.server));
    CHECK(manager.GroupSize(kLobby) == 6);
    CHECK(manager.GroupCount() == 1);
    CHECK(world.service->Stats().groups == 1);
    CHECK(Say(manager, kLobby, "one "));
    CHECK(Say(manager, kRoom, "another group "));
    CHECK(manager.Broadcast(kLobby, SendBufferRef()));
    CHECK(manager.Broadcast(kLobby, SendBuffer::Create(0)));
    manager.Leave(kLobby, members[0].server);
    manager.Leave(kLobby, stranger.server);  // was not in
    manager.Leave(kRoom, members[1].server);
    CHECK(Say(manager, kLobby, "two"));
    CHECK(world.WaitFor([&] { return members[0].client->Received() == "one "; }));
    CHECK(AllReceived(world, {members.begin() + 1, members.end()}, "one two"));
    CHECK(world.WaitFor([&] { return manager.GroupSize(kLobby) == 5; }));
    for (const World::Pair& pair : members) manager.Leave(kLobby, pair.server);
    CHECK(world.WaitFor([&] { return manager.GroupCount() == 0; }));
    CHECK(manager.GroupSize(kLobby) == 0);
    CHECK(Say(manager, kLobby, "nobody hears this "));
    world.RunFor(milliseconds(20));
    CHECK(stranger.client->Received().empty());
    CHECK(members[0].client->Received() == "one ");
  });
}

TEST_CASE("everybody but the speaker, who hears what it was sent itself", "[session][groups]") {
  OnAllBackends({}, [](World& world) {
    SessionManager& manager = *world.service->Sessions();
    const std::vector<World::Pair> pairs = ConnectPairs(world, 5);
    for (const World::Pair& pair : pairs) CHECK(manager.Join(kRoom, pair.server->Id()));
    pairs[2].server->SendText("mine ");
    CHECK(Say(manager, kRoom, "theirs ", pairs[2].server->Id()));
    CHECK(manager.BroadcastAll(SendBuffer::Copy(AsBytes("all")), pairs[3].server->Id()));
    for (std::size_t index = 0; index < pairs.size(); ++index) {
      const std::string expected = index == 2 ? "mine all" : index == 3 ? "theirs " : "theirs all";
      CHECK(world.WaitFor([&] { return pairs[index].client->Received() == expected; }));
    }
    world.RunFor(milliseconds(10));
    CHECK(pairs[2].client->Received() == "mine all");
    CHECK(pairs[3].client->Received() == "theirs ");
  });
}

TEST_CASE("who speaks to a group is sent to before the others of its worker", "[session][groups]") {
  WorldOptions options;
  std::vector<const Session*> sent;
  options.hooks.on_send = [&](TestSession& session, std::size_t) { sent.push_back(&session); };
  OnMemory(options, [&](World& world) {
    SessionManager& manager = *world.service->Sessions();
    const std::vector<World::Pair> pairs = ConnectPairs(world, 20);
    for (const World::Pair& pair : pairs) CHECK(manager.Join(kRoom, pair.server));
    const World::Pair stranger = world.ConnectPair();
    const SessionId gone = pairs[3].server->Id();
    pairs[3].server->Disconnect(CloseReason::kKicked, Closing::kAbort);
    REQUIRE(world.WaitFor([&] { return pairs[3].server->Ended(); }));
    const std::array first{
        pairs[17].server->Id(), SessionId(),          gone, pairs[9].server->Id(),
        pairs[17].server->Id(), stranger.server->Id()};
    CHECK(manager.BroadcastFirstTo(first, kRoom, SendBuffer::Copy(AsBytes("text"))));
    REQUIRE(world.WaitFor([&] { return sent.size() >= 19; }));
    world.RunFor(milliseconds(20));
    CHECK(sent.size() == 19);
    CHECK(sent[0] == pairs[17].server.get());
    CHECK(sent[1] == pairs[9].server.get());
    CHECK(sent[2] == pairs[0].server.get());
    for (std::size_t index = 0; index < pairs.size(); ++index) {
      CHECK(pairs[index].client->Received() == (index == 3 ? "" : "text"));
    }
    CHECK(stranger.client->Received().empty());
    CHECK(manager.BroadcastFirstTo(first, kLobby, SendBuffer::Copy(AsBytes("nobody hears this"))));
    CHECK(manager.BroadcastFirstTo({}, kRoom, SendBufferRef()));
    sent.clear();
  });
}

TEST_CASE("a broadcast that has those who are first reaches all on every backend",
          "[session][groups]") {
  OnAllBackends({}, [](World& world) {
    SessionManager& manager = *world.service->Sessions();
    const std::vector<World::Pair> pairs = ConnectPairs(world, 8);
    for (const World::Pair& pair : pairs) CHECK(manager.Join(kRoom, pair.server));
    std::string expected;
    for (std::size_t number = 0; number < 50; ++number) {
      const std::string text = std::to_string(number) + " ";
      const std::array first{pairs[number % 8].server->Id(), pairs[(number + 3) % 8].server->Id()};
      CHECK(manager.BroadcastFirstTo(first, kRoom, SendBuffer::Copy(AsBytes(text))));
      expected += text;
    }
    CHECK(AllReceived(world, pairs, expected));
  });
}

TEST_CASE("a session is in several groups, and leaves one or all", "[session][groups]") {
  OnAllBackends({}, [](World& world) {
    SessionManager& manager = *world.service->Sessions();
    const std::vector<World::Pair> pairs = ConnectPairs(world, 2);
    for (const World::Pair& pair : pairs) {
      for (std::uint64_t group = 1; group <= 20; ++group) {
        CHECK(manager.Join(GroupId{group}, pair.server));
      }
      CHECK(manager.Join(GroupId{7}, pair.server));  // is in already
    }
    CHECK(manager.GroupCount() == 20);
    manager.Leave(GroupId{1}, pairs[0].server->Id());
    manager.Leave(GroupId{20}, pairs[0].server->Id());
    manager.Leave(GroupId{10}, pairs[0].server->Id());
    std::string all;
    std::string some;
    for (std::uint64_t group = 1; group <= 20; ++group) {
      const std::string text = std::to_string(group) + " ";
      CHECK(Say(manager, GroupId{group}, text));
      all += text;
      if (group != 1 && group != 10 && group != 20) some += text;
    }
    CHECK(world.WaitFor([&] { return pairs[0].client->Received() == some; }));
    CHECK(world.WaitFor([&] { return pairs[1].client->Received() == all; }));
    CHECK(manager.GroupSize(GroupId{7}) == 2);
    CHECK(manager.GroupSize(GroupId{10}) == 1);
    manager.LeaveAll(pairs[0].server);
    manager.LeaveAll(pairs[1].server->Id());
    manager.LeaveAll(SessionId());
    for (std::uint64_t group = 1; group <= 20; ++group) CHECK(Say(manager, GroupId{group}, "x"));
    REQUIRE(world.WaitFor([&] { return manager.GroupCount() == 0; }));
    pairs[0].server->SendText("end");
    CHECK(world.WaitFor([&] { return pairs[0].client->Received() == some + "end"; }));
  });
}

TEST_CASE("who ends leaves its groups by itself, and the last one takes the group along",
          "[session][groups]") {
  const bool graceful = GENERATE(true, false);
  OnAllBackends({}, [&](World& world) {
    SessionManager& manager = *world.service->Sessions();
    const std::vector<World::Pair> pairs = ConnectPairs(world, 4);
    for (const World::Pair& pair : pairs) {
      CHECK(manager.Join(kLobby, pair.server));
      CHECK(manager.Join(GroupId{100 + pair.server->Id().value}, pair.server));
    }
    CHECK(manager.GroupCount() == 5);
    for (std::size_t index = 0; index < pairs.size(); ++index) {
      const World::Pair& pair = pairs[index];
      (index % 2 == 0 ? pair.server : pair.client)
          ->Disconnect(CloseReason::kKicked, graceful ? Closing::kGraceful : Closing::kAbort);
      REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
      CHECK(manager.GroupSize(kLobby) == 3 - index);
      CHECK(Say(manager, kLobby, "x"));
    }
    CHECK(manager.GroupCount() == 0);
    CHECK(world.service->Stats().groups == 0);
  });
}

TEST_CASE("who is ending or has ended, or is another service's, can't join", "[session][groups]") {
  OnAllBackends({}, [](World& world) {
    SessionManager& manager = *world.service->Sessions();
    const World::Pair pair = world.ConnectPair();
    CHECK_FALSE(manager.Join(kRoom, pair.client));
    CHECK_FALSE(manager.Join(kRoom, SessionRef()));
    CHECK_FALSE(manager.Join(kRoom, SessionId()));
    CHECK_FALSE(manager.Join(kRoom, SessionId{12345}));
    CHECK_FALSE(manager.Join(kRoom, std::make_shared<TestSession>()));
    CHECK(world.connector->Sessions()->Join(kRoom, pair.client));
    manager.Leave(kRoom, pair.client);
    manager.LeaveAll(pair.client);
    CHECK(world.connector->Sessions()->GroupSize(kRoom) == 1);
    pair.server->Disconnect();
    CHECK_FALSE(manager.Join(kRoom, pair.server));
    REQUIRE(world.WaitFor([&] { return pair.server->Ended() && pair.client->Ended(); }));
    CHECK_FALSE(manager.Join(kRoom, pair.server));
    CHECK(manager.GroupCount() == 0);
    CHECK(world.connector->Sessions()->GroupCount() == 0);
  });
}

// Of the calls of one thread each is before the next.
TEST_CASE("a broadcast comes before the Disconnect or ShutdownSend behind it, and not after one",
          "[session][groups]") {
  OnAllBackends({}, [](World& world) {
    SessionManager& manager = *world.service->Sessions();
    const std::vector<World::Pair> pairs = ConnectPairs(world, 2);
    for (const World::Pair& pair : pairs) CHECK(manager.Join(kRoom, pair.server));
    pairs[0].server->SendText("a");
    CHECK(Say(manager, kRoom, "b"));
    pairs[0].server->SendText("c");
    CHECK(Say(manager, kRoom, "d"));
    pairs[0].server->Disconnect();
    pairs[1].server->ShutdownSend();
    CHECK(Say(manager, kRoom, "e"));
    CHECK(manager.BroadcastAll(SendBuffer::Copy(AsBytes("f"))));
    for (const World::Pair& pair : pairs) {
      REQUIRE(world.WaitFor([&] { return pair.client->Ended() && pair.server->Ended(); }));
    }
    CHECK(pairs[0].client->Received() == "abcd");
    CHECK(pairs[1].client->Received() == "bd");
    CHECK(pairs[0].server->Info().bytes_unsent == 0);
    CHECK(pairs[1].server->Info().bytes_unsent == 0);
  });
}

TEST_CASE("hooks join, leave and broadcast", "[session][groups]") {
  std::atomic<int> wrong{0};
  WorldOptions options;
  // Says that it is there, also to itself; sends on what comes; and says that it has gone.
  options.hooks.on_connected = [&](TestSession& session) {
    SessionManager& manager = *session.Manager();
    if (!manager.Join(kLobby, session.Id()) || !Say(manager, kLobby, "+")) ++wrong;
  };
  options.hooks.on_recv = [&](TestSession& session, std::span<std::byte> bytes) {
    SessionManager& manager = *session.Manager();
    if (bytes[0] == std::byte{'q'}) return manager.Leave(kLobby, session.shared_from_this());
    session.Send(bytes);
    if (!manager.Broadcast(kLobby, SendBuffer::Copy(bytes), session.Id())) ++wrong;
  };
  options.hooks.on_disconnected = [&](TestSession& session, const CloseInfo&) {
    SessionManager& manager = *session.Manager();
    if (manager.Join(kLobby, session.shared_from_this()) || !Say(manager, kLobby, "-")) ++wrong;
  };
  OnAllBackends(options, [&](World& world) {
    const World::Pair a = world.ConnectPair();
    REQUIRE(world.WaitFor([&] { return a.client->Received() == "+"; }));
    const World::Pair b = world.ConnectPair();
    REQUIRE(world.WaitFor([&] { return a.client->Received() == "++"; }));
    const World::Pair c = world.ConnectPair();
    REQUIRE(world.WaitFor([&] { return b.client->Received() == "++"; }));
    REQUIRE(world.WaitFor([&] { return c.client->Received() == "+"; }));
    b.client->SendText("hello");
    REQUIRE(world.WaitFor([&] { return a.client->Received() == "+++hello"; }));
    REQUIRE(world.WaitFor([&] { return b.client->Received() == "++hello"; }));
    REQUIRE(world.WaitFor([&] { return c.client->Received() == "+hello"; }));
    b.client->SendText("q");
    SessionManager& manager = *world.service->Sessions();
    REQUIRE(world.WaitFor([&] { return manager.GroupSize(kLobby) == 2; }));
    c.client->Disconnect();
    REQUIRE(world.WaitFor([&] { return a.client->Received() == "+++hello-"; }));
    CHECK(b.client->Received() == "++hello");
    CHECK(c.client->Received() == "+hello");
    CHECK(wrong == 0);
  });
}

TEST_CASE("the speaker's own answer leaves before the broadcast that follows it",
          "[session][groups]") {
  std::vector<const TestSession*> heard;
  Hooks client;
  client.on_recv = [&](TestSession& session, std::span<std::byte>) { heard.push_back(&session); };
  const bool from_hook = GENERATE(true, false);
  const auto speak = [](TestSession& speaker) {
    speaker.SendText("to you first");
    CHECK(Say(*speaker.Manager(), kRoom, "to the others", speaker.Id()));
  };
  WorldOptions options;
  if (from_hook) {
    options.hooks.on_recv = [&](TestSession& session, std::span<std::byte>) { speak(session); };
  }
  OnMemory(options, [&](World& world) {
    std::vector<World::Pair> pairs;
    for (int times = 0; times < 50; ++times) pairs.push_back(world.ConnectPair(client));
    for (const World::Pair& pair : pairs) {
      CHECK(world.service->Sessions()->Join(kRoom, pair.server));
    }
    for (const std::size_t speaker : {49U, 0U, 20U}) {
      heard.clear();
      if (from_hook) {
        pairs[speaker].client->SendText("x");
      } else {
        speak(*pairs[speaker].server);
      }
      REQUIRE(world.WaitFor([&] { return heard.size() == 50; }));
      CHECK(heard.front() == pairs[speaker].client.get());
    }
  });
}

TEST_CASE("a receiver whose bound is passed by a broadcast ends, and the others hear all",
          "[session][groups]") {
  WorldOptions options;
  options.server.max_send_queue_bytes = 100'000;
  options.server.socket.send_buffer_bytes = 8 * 1024;
  options.server.socket.recv_buffer_bytes = 8 * 1024;
  options.client.socket = options.server.socket;
  OnAllBackends(options, [](World& world) {
    SessionManager& manager = *world.service->Sessions();
    std::vector<World::Pair> pairs = ConnectPairs(world, 8);
    for (const World::Pair& pair : pairs) CHECK(manager.Join(kRoom, pair.server));
    const World::Pair slow = pairs[3];
    pairs.erase(pairs.begin() + 3);
    slow.client->PauseRecv();
    world.RunFor(milliseconds(10));
    std::string said;
    for (int times = 0; !slow.server->Ended() && said.size() < 50'000'000; ++times) {
      const std::string text = std::to_string(times) + std::string(1'000, 'x');
      CHECK(Say(manager, kRoom, text));
      said += text;
      REQUIRE(AllReceived(world, pairs, said));  // nobody of them has anything queued
      CHECK(slow.server->QueuedBytes() <= 100'000);
    }
    CHECK(slow.server->Info().reason == CloseReason::kSendQueueFull);
    CHECK(slow.server->Info().bytes_unsent > 0);
    CHECK(manager.GroupSize(kRoom) == 7);
    slow.client->ResumeRecv();
    REQUIRE(world.WaitFor([&] { return slow.client->Ended(); }));
    CHECK(slow.client->Info().reason == CloseReason::kPeerReset);
    CHECK(said.starts_with(slow.client->Received()));

    // One message that is larger than any bound ends them all.
    CHECK(Say(manager, kRoom, std::string(100'001, 'x')));
    REQUIRE(world.WaitFor([&] { return manager.Count() == 0; }));
    CHECK(world.WaitFor(
        [&] { return world.service->Stats().Ended(CloseReason::kSendQueueFull) == 8; }));
    CHECK(manager.GroupCount() == 0);
  });
}

TEST_CASE("one buffer serves all, and a warm broadcast allocates nothing a receiver",
          "[session][groups]") {
  constexpr std::size_t kMembers = 200;
  WorldOptions options;
  options.keep_received = false;
  options.threads = 1;
  OnAllBackends(options, [&](World& world) {
    SessionManager& manager = *world.service->Sessions();
    std::vector<World::Pair> pairs = ConnectPairs(world, kMembers);
    for (const World::Pair& pair : pairs) CHECK(manager.Join(kRoom, pair.server));
    const SendBufferRef buffer = SendBuffer::Copy(AsBytes("one for all"));
    std::size_t heard = 0;
    const auto broadcast = [&] {
      REQUIRE(manager.Broadcast(kRoom, buffer));
      heard += buffer->Size();
      REQUIRE(world.WaitFor([&] {
        return std::all_of(pairs.begin(), pairs.end(), [&](const World::Pair& pair) {
          return pair.client->ReceivedBytes() == heard && pair.server->SentBytes() == heard;
        });
      }));
    };
    for (int times = 0; times < 3; ++times) broadcast();
    const std::size_t before = allocation_count;
    for (int times = 0; times < 10; ++times) broadcast();
    const std::size_t allocated = allocation_count - before;
    // The mail, and what a test's own waiting takes; the memory port's net allocates as it pleases.
    if (!world.IsMemory()) CHECK(allocated < kMembers / 2);
  });
}

TEST_CASE("a walk over members who are ended by it, in a hook of one of them",
          "[session][groups]") {
  // Every second member's bound is passed while the group is walked from inside a hook.
  WorldOptions options;
  options.server.max_send_queue_bytes = 50;
  options.hooks.on_recv = [](TestSession& session, std::span<std::byte>) {
    SessionManager& manager = *session.Manager();
    CHECK(Say(manager, kRoom, std::string(30, 'a')));
    const std::size_t before = manager.GroupSize(kRoom);
    CHECK(Say(manager, kLobby, std::string(30, 'b')));
    CHECK(manager.GroupSize(kRoom) == before);  // they leave later, one by one
    CHECK(Say(manager, kRoom, std::string(10, 'c')));
  };
  OnMemory(options, [](World& world) {
    SessionManager& manager = *world.service->Sessions();
    const std::vector<World::Pair> pairs = ConnectPairs(world, 30);
    for (std::size_t index = 0; index < pairs.size(); ++index) {
      CHECK(manager.Join(kRoom, pairs[index].server));
      if (index % 2 == 0) CHECK(manager.Join(kLobby, pairs[index].server));
    }
    pairs[4].client->SendText("x");
    REQUIRE(world.WaitFor([&] { return manager.Count() == 15; }));
    CHECK(manager.GroupSize(kRoom) == 15);
    CHECK(manager.GroupSize(kLobby) == 0);
    CHECK(world.service->Stats().Ended(CloseReason::kSendQueueFull) == 15);
    for (std::size_t index = 1; index < pairs.size(); index += 2) {
      CHECK(world.WaitFor([&] {
        return pairs[index].client->Received() == std::string(30, 'a') + std::string(10, 'c');
      }));
    }
  });
}

TEST_CASE("a service that stops, or a core, takes the groups along", "[session][groups]") {
  const bool core = GENERATE(false, true);
  OnAllBackends({}, [&](World& world) {
    SessionManager& manager = *world.service->Sessions();
    const std::vector<World::Pair> pairs = ConnectPairs(world, 20);
    for (const World::Pair& pair : pairs) {
      CHECK(manager.Join(kRoom, pair.server));
      CHECK(manager.Join(kLobby, pair.server));
      CHECK(Say(manager, kRoom, "x"));
    }
    if (core) {
      world.core->Stop();
    } else {
      world.service->Stop(milliseconds(100));
    }
    CHECK(Say(manager, kRoom, "x"));
    CHECK(manager.BroadcastAll(SendBuffer::Copy(AsBytes("x"))));
    REQUIRE(world.WaitFor([&] { return manager.Count() == 0; }));
    CHECK(manager.GroupCount() == 0);
    CHECK(Say(manager, kRoom, "x"));
    CHECK_FALSE(manager.Join(kRoom, pairs[0].server));
  });
}

}  // namespace
}  // namespace netcore::test
