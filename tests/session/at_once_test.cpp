// Sends from a hook that need not wait for the flush, large ones and lone answers: they leave at
// once where a port does that, and nothing else about them is different.
#include <algorithm>
#include <random>

#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

// Sends from memory that is written over before the hook goes on.
SendResult SendFromScratch(Session& session, const std::string& text) {
  std::string scratch = text;
  const SendResult result = session.Send(std::as_bytes(std::span(scratch)));
  std::fill(scratch.begin(), scratch.end(), '!');
  return result;
}

TEST_CASE("large and small sends of one hook arrive in order, as they were when they were sent",
          "[session][at_once]") {
  OnAllBackends(Unbounded(), [](World& world) {
    const std::uint32_t seed = NewSeed();
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::string expected;
    std::vector<std::string> parts;
    for (std::uint32_t i = 0; i < 60; ++i) {
      parts.push_back(RandomText(1 + random() % (i % 3 == 0 ? 100'000 : 200), seed + i));
      expected += parts.back();
    }
    const World::Pair pair = world.ConnectPair();
    std::size_t next = 0;
    // Some in one hook, some in the next, so that a large one is now the first and now behind
    // others.
    while (next < parts.size()) {
      const std::size_t end = std::min(parts.size(), next + 1 + random() % 4);
      REQUIRE(pair.server->Post([&parts, server = pair.server, begin = next, end] {
        for (std::size_t i = begin; i < end; ++i) SendFromScratch(*server, parts[i]);
      }));
      next = end;
    }
    REQUIRE(world.WaitFor([&] { return pair.client->ReceivedBytes() == expected.size(); }));
    CHECK((pair.client->Received() == expected));
    CHECK(world.WaitFor([&] { return pair.server->SentBytes() == expected.size(); }));
    CHECK(world.WaitFor([&] { return pair.server->QueuedBytes() == 0; }));
  });
}

TEST_CASE("a large send to a peer that does not read is kept, counted, and arrives when it reads",
          "[session][at_once]") {
  OnAllBackends(Narrow(), [](World& world) {
    const World::Pair pair = world.ConnectPair(NotReading());
    const std::string text = RandomText(20'000'000, 7);
    REQUIRE(pair.server->Post([&text, server = pair.server] {
      for (std::size_t i = 0; i < text.size(); i += 1'000'000) {
        SendFromScratch(*server, text.substr(i, 1'000'000));
      }
    }));
    // The hook has sent all of it, and nothing is counted twice or not at all.
    REQUIRE(world.WaitFor(
        [&] { return pair.server->QueuedBytes() + pair.server->SentBytes() == text.size(); }));
    CHECK(pair.server->QueuedBytes() > 0);
    pair.client->ResumeRecv();
    REQUIRE(world.WaitFor([&] { return pair.client->ReceivedBytes() == text.size(); }));
    CHECK((pair.client->Received() == text));
    CHECK(world.WaitFor([&] { return pair.server->SentBytes() == text.size(); }));
    CHECK(pair.server->QueuedBytes() == 0);
  });
}

TEST_CASE("a graceful end behind a large send waits for it", "[session][at_once]") {
  OnAllBackends(Unbounded(), [](World& world) {
    const World::Pair pair = world.ConnectPair();
    const std::string text = RandomText(3'000'000, 7);
    REQUIRE(pair.server->Post([&text, server = pair.server] {
      SendFromScratch(*server, text.substr(0, 40'000));
      SendFromScratch(*server, text.substr(40'000));
      server->Disconnect();
      CHECK(server->SendText("too late") == SendResult::kClosing);
    }));
    REQUIRE(world.WaitFor([&] { return pair.client->Ended() && pair.server->Ended(); }));
    CHECK((pair.client->Received() == text));
    CHECK(pair.server->Info().bytes_unsent == 0);
  });
}

TEST_CASE("a FIN behind a large send waits for it, and nothing leaves behind the FIN",
          "[session][at_once]") {
  OnAllBackends(Unbounded(), [](World& world) {
    const World::Pair pair = world.ConnectPair();
    const std::string text = RandomText(50'000, 7);
    REQUIRE(pair.server->Post([&text, server = pair.server] {
      SendFromScratch(*server, text);
      server->ShutdownSend();
      CHECK(SendFromScratch(*server, text) == SendResult::kClosing);
    }));
    REQUIRE(world.WaitFor([&] { return pair.client->Ended() && pair.server->Ended(); }));
    CHECK((pair.client->Received() == text));
  });
}

TEST_CASE("what left at once is told before the end, also when the peer has closed before",
          "[session][at_once]") {
  const std::string text = RandomText(50'000, 7);
  WorldOptions options = Unbounded();
  options.server.on_peer_close = PeerClose::kKeepOpen;
  options.hooks.on_peer_closed = [&text](TestSession& session) {
    SendFromScratch(session, text);
    session.Disconnect();
  };
  OnAllBackends(options, [&text](World& world) {
    const World::Pair pair = world.ConnectPair();
    pair.client->ShutdownSend();
    REQUIRE(world.WaitFor([&] { return pair.client->Ended() && pair.server->Ended(); }));
    CHECK((pair.client->Received() == text));
    CHECK(pair.server->SentBytes() == text.size());
  });
}

TEST_CASE("what left at once is told, whether in an answer or in a posted task",
          "[session][at_once]") {
  const std::string text = RandomText(50'000, 7);
  WorldOptions options = Unbounded();
  options.hooks.on_recv = [&text](TestSession& session, std::span<std::byte>) {
    SendFromScratch(session, text);
  };
  OnAllBackends(options, [&text](World& world) {
    const World::Pair pair = world.ConnectPair();
    for (std::size_t expected = text.size(); expected <= 6 * text.size();) {
      pair.client->SendText("?");
      REQUIRE(world.WaitFor([&] { return pair.server->SentBytes() == expected; }));
      expected += text.size();
      REQUIRE(pair.server->Post([&text, server = pair.server] { SendFromScratch(*server, text); }));
      REQUIRE(world.WaitFor([&] { return pair.server->SentBytes() == expected; }));
      expected += text.size();
    }
    REQUIRE(world.WaitFor([&] { return pair.client->ReceivedBytes() == 6 * text.size(); }));
  });
}

TEST_CASE("an abort after a large send tells how much was not sent", "[session][at_once]") {
  OnAllBackends(Narrow(), [](World& world) {
    const World::Pair pair = world.ConnectPair(NotReading());
    const std::string text = RandomText(20'000'000, 7);
    REQUIRE(pair.server->Post([&text, server = pair.server] {
      SendFromScratch(*server, text);
      server->Disconnect(CloseReason::kLocal, Closing::kAbort);
    }));
    REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
    CHECK(pair.server->Info().bytes_unsent > 0);
    CHECK(pair.server->Info().bytes_unsent <= text.size());
  });
}

// One message after another; each is answered before the next is sent.
void Converse(World& world, const World::Pair& pair, std::size_t answer_bytes, int count) {
  for (int i = 0; i < count; ++i) {
    const std::size_t before = pair.client->ReceivedBytes();
    pair.client->SendText("?");
    REQUIRE(world.WaitFor([&] { return pair.client->ReceivedBytes() == before + answer_bytes; }));
  }
}

TEST_CASE("an answer that finds no other to leave with leaves inside its hook",
          "[session][at_once]") {
  std::atomic<std::size_t> at_once = 0;
  WorldOptions options;
  options.hooks.on_recv = [&](TestSession& session, std::span<std::byte>) {
    session.SendText("answer");
    if (session.QueuedBytes() == 0) ++at_once;
  };
  OnRealBackends(options, [&](World& world) {
    at_once = 0;
    const World::Pair pair = world.ConnectPair();
    const bool may_leave = world.core->BackendName() != "iocp";
    for (int tries = 0; tries < 100 && at_once < 3; ++tries) Converse(world, pair, 6, 3);
    CHECK((at_once >= 3) == may_leave);
    CHECK(world.WaitFor([&] { return pair.server->SentBytes() == pair.client->ReceivedBytes(); }));
    CHECK(pair.server->QueuedBytes() == 0);
  });
}

TEST_CASE("answers of a hook that sends several leave together", "[session][at_once]") {
  std::atomic<std::size_t> hooks = 0;
  std::atomic<std::size_t> joined = 0;
  WorldOptions options;
  options.hooks.on_recv = [&](TestSession& session, std::span<std::byte>) {
    for (const char* part : {"one ", "two ", "three"}) session.SendText(part);
    ++hooks;
    if (session.QueuedBytes() == 13) ++joined;
  };
  OnAllBackends(options, [&](World& world) {
    hooks = joined = 0;
    const World::Pair pair = world.ConnectPair();
    Converse(world, pair, 13, 50);
    CHECK(hooks == 50);
    CHECK(joined == 50);
  });
}

TEST_CASE("answers arrive in order whether a hook sends one or several", "[session][at_once]") {
  const std::uint32_t seed = NewSeed();
  CAPTURE(seed);
  std::mt19937 random(seed);
  std::string expected;  // as `random`, the hook's until the session has ended
  WorldOptions options;
  options.hooks.on_recv = [&](TestSession& session, std::span<std::byte>) {
    const std::size_t count = random() % 4 == 0 ? 1 + random() % 3 : 1;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string part =
          RandomText(1 + random() % 2'000, static_cast<std::uint32_t>(random()));
      expected += part;
      SendFromScratch(session, part);
    }
  };
  OnAllBackends(options, [&](World& world) {
    expected.clear();
    const World::Pair pair = world.ConnectPair();
    for (int i = 0; i < 300; ++i) {
      const std::size_t before = pair.client->ReceivedBytes();
      pair.client->SendText("?");
      REQUIRE(world.WaitFor([&] { return pair.client->ReceivedBytes() > before; }));
    }
    pair.client->ShutdownSend();
    REQUIRE(world.WaitFor([&] { return pair.client->Ended() && pair.server->Ended(); }));
    CHECK((pair.client->Received() == expected));
  });
}

}  // namespace
}  // namespace netcore::test
