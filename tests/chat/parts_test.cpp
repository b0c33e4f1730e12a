// The chat's small parts, each alone: names, batches, history, the window.
#include <algorithm>
#include <atomic>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "chat/answers.h"
#include "chat/batch.h"
#include "chat/history.h"
#include "chat/name_registry.h"
#include "chat/protocol.h"
#include "chat/request_window.h"
#include "tests/support/catch.h"

namespace samples::chat {
namespace {

constexpr netcore::SessionId kAnn{1};
constexpr netcore::SessionId kBob{2};

TEST_CASE("a name is one session's until it is released", "[chat][names]") {
  NameRegistry names;
  CHECK(names.Claim("x", kAnn));
  CHECK_FALSE(names.Claim("x", kBob));
  CHECK_FALSE(names.Claim("x", kAnn));
  CHECK(names.Claim("X", kBob));
  CHECK(names.Find("x") == kAnn);
  CHECK_FALSE(names.Find("y"));
  names.Release("x");
  names.Release("x");
  CHECK_FALSE(names.Find("x"));
  CHECK(names.Claim("x", kBob));
  CHECK(names.Count() == 2);
}

TEST_CASE("a guest's name is one that nobody has taken", "[chat][names]") {
  NameRegistry names;
  CHECK(names.Claim("guest-2", kAnn));
  CHECK(names.ClaimGuest(kBob) == "guest-1");
  CHECK(names.ClaimGuest(kBob) == "guest-3");
  CHECK(names.Find("guest-3") == kBob);
}

TEST_CASE("of threads that claim one name each round, one gets it", "[chat][names]") {
  NameRegistry names;
  std::atomic<int> won{0};
  std::vector<std::thread> threads;
  for (std::uint64_t owner = 1; owner <= 4; ++owner) {
    threads.emplace_back([&, owner] {
      for (int round = 0; round < 1'000; ++round) {
        if (names.Claim("name " + std::to_string(round), netcore::SessionId{owner})) ++won;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(won == 1'000);
}

std::string TextIn(const netcore::SendBufferRef& buffer) {
  return buffer ? std::string(TextOf(buffer->Bytes())) : std::string();
}

std::string Earlier(std::initializer_list<std::string_view> lines) {
  std::string packets;
  for (const std::string_view line : lines) {
    packets += TextIn(MakeAnswer(PacketType::kEarlier, line));
  }
  return packets;
}

void Say(History& history, std::initializer_list<std::string_view> texts) {
  Batch batch;
  for (const std::string_view text : texts) batch.Add(kAnn, "a", text);
  history.Add(batch);
}

TEST_CASE("a batch is what was said, packet behind packet", "[chat][batch]") {
  Batch batch;
  CHECK(batch.Empty());
  batch.Add(kAnn, "ann", "hello");
  batch.Add(kBob, "bob", "");
  batch.Add(kAnn, "a", "x : y");
  CHECK(batch.Count() == 3);
  const std::string expected = TextIn(MakeAnswer(PacketType::kChat, "ann : hello")) +
                               TextIn(MakeAnswer(PacketType::kChat, "bob : ")) +
                               TextIn(MakeAnswer(PacketType::kChat, "a : x : y"));
  CHECK(TextIn(batch.Packets()) == expected);
  CHECK(batch.Packet(1) == TextIn(MakeAnswer(PacketType::kChat, "bob : ")));
  CHECK(std::string(batch.Packet(0)).append(batch.Packet(1)).append(batch.Packet(2)) == expected);
  const auto speakers = batch.Speakers();
  CHECK(std::vector(speakers.begin(), speakers.end()) == std::vector{kAnn, kBob, kAnn});
  batch.Clear();
  CHECK(batch.Empty());
  CHECK(batch.Speakers().empty());
  batch.Add(kBob, "bob", "again");
  CHECK(TextIn(batch.Packets()) == TextIn(MakeAnswer(PacketType::kChat, "bob : again")));
}

TEST_CASE("a batch is full at a bound", "[chat][batch]") {
  Batch batch;
  const std::string text(kMaxTextBytes, 'x');
  std::size_t count = 0;
  for (; !batch.IsFull(); ++count) batch.Add(kAnn, "ann", text);
  CHECK(count == 8);
}

TEST_CASE("a history has the last messages, the oldest first", "[chat][history]") {
  History history(3);
  CHECK_FALSE(history.Packets());
  Say(history, {"1"});
  CHECK(TextIn(history.Packets()) == Earlier({"a : 1"}));
  Say(history, {"2", "3"});
  CHECK(TextIn(history.Packets()) == Earlier({"a : 1", "a : 2", "a : 3"}));
  Say(history, {"4"});
  CHECK(TextIn(history.Packets()) == Earlier({"a : 2", "a : 3", "a : 4"}));
  Say(history, {"5", "6"});
  CHECK(TextIn(history.Packets()) == Earlier({"a : 4", "a : 5", "a : 6"}));
  Say(history, {"7", "8", "9", "10", "11"});
  CHECK(TextIn(history.Packets()) == Earlier({"a : 9", "a : 10", "a : 11"}));
}

TEST_CASE("those who join between two messages share one copy of the history", "[chat][history]") {
  History history(2);
  Say(history, {"1"});
  const netcore::SendBufferRef one = history.Packets();
  CHECK(&*one == &*history.Packets());
  Say(history, {"2"});
  CHECK(&*one != &*history.Packets());
}

TEST_CASE("a history of nothing keeps nothing", "[chat][history]") {
  History history(0);
  Say(history, {"1"});
  CHECK_FALSE(history.Packets());
}

TEST_CASE("a window closes when it is full and opens when it is half empty", "[chat][window]") {
  RequestWindow window;
  for (std::size_t count = 1; count < RequestWindow::kPauseAt; ++count)
    CHECK_FALSE(window.Enter(1));
  CHECK(window.Enter(1));
  std::size_t left = RequestWindow::kPauseAt;
  for (; left > RequestWindow::kResumeAt + 1; --left) CHECK_FALSE(window.Leave(1));
  CHECK(window.Leave(1));
  for (--left; left > 0; --left) CHECK_FALSE(window.Leave(1));
  CHECK(window.Waiting() == 0);
}

TEST_CASE("large requests fill a window sooner", "[chat][window]") {
  RequestWindow window;
  int entered = 1;
  while (!window.Enter(kMaxRequestBytes)) ++entered;
  CHECK(entered == 2);
  CHECK(window.Leave(kMaxRequestBytes));
  CHECK_FALSE(window.Leave(kMaxRequestBytes));
  CHECK(window.Waiting() == 0);
}

TEST_CASE("a reader that the window stops is always told to go on", "[chat][window]") {
  constexpr int kRequests = 200'000;
  RequestWindow window;
  std::atomic<int> queued{0};
  std::atomic<int> resumes{0};
  std::thread logic([&] {
    for (int done = 0; done < kRequests; ++done) {
      while (queued.load() <= done) std::this_thread::yield();
      if (window.Leave(1)) ++resumes;
    }
  });
  int pauses = 0;
  std::size_t most = 0;
  for (int asked = 0; asked < kRequests; ++asked) {
    const bool pause = window.Enter(1);
    most = std::max(most, window.Waiting());
    ++queued;
    if (!pause) continue;
    ++pauses;
    while (resumes.load() < pauses) std::this_thread::yield();  // for ever, if it is forgotten
  }
  logic.join();
  CHECK(resumes == pauses);
  CHECK(most <= RequestWindow::kPauseAt);
}

}  // namespace
}  // namespace samples::chat
