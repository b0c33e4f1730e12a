// A session that answers with what is larger than the socket's buffer, while other threads send to
// it and end it: what the peer gets is whole messages, or it is told of a reset.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

constexpr std::size_t kBigBytes = 160 * 1024;
constexpr std::size_t kSmallMessageBytes = 8;

// "<bbb...b>" is a big message, "(ssssss)" a small one.
std::string MessageOf(std::size_t size, char first, char middle, char last) {
  std::string message(size, middle);
  message.front() = first;
  message.back() = last;
  return message;
}

const std::string& Big() {
  static const std::string message = MessageOf(kBigBytes, '<', 'b', '>');
  return message;
}

const std::string& Small() {
  static const std::string message = MessageOf(kSmallMessageBytes, '(', 's', ')');
  return message;
}

/// Reads a stream of both. Threads: one.
class MessageReader {
 public:
  void Read(std::string_view bytes) {
    while (!bytes.empty() && !torn) {
      if (expected_ == nullptr) expected_ = bytes.front() == '<' ? &Big() : &Small();
      const std::size_t count = std::min(bytes.size(), expected_->size() - offset_);
      torn = bytes.substr(0, count) != std::string_view(*expected_).substr(offset_, count);
      bytes.remove_prefix(count);
      offset_ += count;
      if (offset_ < expected_->size()) continue;
      (expected_ == &Big() ? bigs : smalls) += 1;
      expected_ = nullptr;
      offset_ = 0;
    }
  }

  bool IsInside() const { return expected_ != nullptr; }

  bool torn = false;
  std::size_t bigs = 0;
  std::size_t smalls = 0;

 private:
  const std::string* expected_ = nullptr;
  std::size_t offset_ = 0;
};

WorldOptions Answering() {
  WorldOptions options = Unbounded();
  options.keep_received = false;
  options.threads = 1;
  options.server.socket.send_buffer_bytes = 16 * 1024;
  options.hooks.on_recv = [](TestSession& session, std::span<std::byte>) {
    session.SendText(Big());
  };
  return options;
}

// The client asks for one big message after another; `talkers` threads send small ones meanwhile.
void AskForBigOnes(World& world, std::size_t count, std::size_t talkers) {
  MessageReader reader;
  std::atomic<std::size_t> bigs{0};
  std::atomic<bool> torn{false};
  Hooks hooks;
  hooks.on_recv = [&](TestSession& session, std::span<std::byte> bytes) {
    const std::size_t before = reader.bigs;
    reader.Read(AsText(bytes));
    bigs = reader.bigs;
    torn = reader.torn;
    if (reader.bigs > before && !reader.torn) session.SendText("?");
  };
  const World::Pair pair = world.ConnectPair(hooks);
  std::atomic<bool> is_over{false};
  std::atomic<std::size_t> sent{0};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < talkers; ++i) {
    threads.emplace_back([&] {
      while (!is_over) {
        // Not more than leaves: some systems hardly sleep for so short a time.
        if (pair.server->QueuedBytes() < 2 * kBigBytes &&
            pair.server->SendText(Small()) == SendResult::kQueued) {
          ++sent;
        }
        std::this_thread::sleep_for(std::chrono::microseconds(100));
      }
    });
  }
  pair.client->SendText("?");
  const bool done =
      Eventually([&] { return bigs >= count || torn || pair.client->Ended(); }, 4 * kLimit);
  is_over = true;
  for (std::thread& thread : threads) thread.join();
  pair.client->Disconnect();
  REQUIRE(world.WaitFor([&] { return pair.client->Ended() && pair.server->Ended(); }));
  CHECK(done);
  CHECK_FALSE(torn);
  CHECK(bigs >= count);
  CHECK(sent > 0);
}

// A client asks for one big message, and another thread ends its session in the middle of it.
void EndInTheMiddle(World& world, std::mt19937& random) {
  MessageReader reader;
  Hooks hooks;
  hooks.on_recv = [&](TestSession&, std::span<std::byte> bytes) { reader.Read(AsText(bytes)); };
  const World::Pair pair = world.ConnectPair(hooks);
  const auto way = static_cast<unsigned>(random() % 3);
  const std::chrono::microseconds delay(random() % 400);
  std::thread other([&] {
    std::this_thread::sleep_for(delay);
    pair.server->SendText(Small());
    if (way == 0) pair.server->Disconnect();
    if (way == 1) pair.server->ShutdownSend();
    if (way == 2) pair.server->Disconnect(CloseReason::kLocal, Closing::kAbort);
  });
  pair.client->SendText("?");
  other.join();
  REQUIRE(world.WaitFor([&] { return pair.client->Ended() && pair.server->Ended(); }));
  CAPTURE(way, reader.bigs, reader.smalls);
  CHECK_FALSE(reader.torn);
  const bool is_reset = pair.client->Info().reason == CloseReason::kPeerReset;
  if (!is_reset) {
    CHECK(pair.client->Info().reason == CloseReason::kPeerClosed);
    CHECK_FALSE(reader.IsInside());
    CHECK(pair.server->Info().bytes_unsent == 0);
  }
  if (way != 2) CHECK_FALSE(is_reset);
}

TEST_CASE("large answers are whole while other threads send", "[session][torn]") {
  const std::size_t talkers = GENERATE(std::size_t{1}, std::size_t{2});
  OnRealBackends(Answering(), [&](World& world) { AskForBigOnes(world, 80, talkers); });
}

TEST_CASE("large answers are whole, or reset, when other threads end the session",
          "[session][torn]") {
  const std::uint32_t seed = NewSeed();
  CAPTURE(seed);
  std::mt19937 random(seed);
  OnRealBackends(Answering(), [&](World& world) {
    for (int i = 0; i < 30; ++i) EndInTheMiddle(world, random);
  });
}

TEST_CASE("ten thousand large answers are whole while other threads send and end", "[.prove]") {
  const std::uint32_t seed = NewSeed();
  CAPTURE(seed);
  std::mt19937 random(seed);
  constexpr std::size_t kCount = 10'000;
  const std::size_t talkers = GENERATE(std::size_t{1}, std::size_t{2}, std::size_t{4});
  OnRealBackends(Answering(), [&](World& world) {
    AskForBigOnes(world, kCount, talkers);
    for (int i = 0; i < 1'000; ++i) EndInTheMiddle(world, random);
    std::printf("figure: %s, %zu talkers: whole = %zu messages\n",
                std::string(world.core->BackendName()).c_str(), talkers, kCount);
  });
}

}  // namespace
}  // namespace netcore::test
