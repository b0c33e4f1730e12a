// Large sends from a hook, which need not wait for the flush: they leave at once where a port does
// that, and nothing else about them is different.
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

}  // namespace
}  // namespace netcore::test
