// What a message costs a service that has been running for a while: no allocation.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tests/support/counting_new.h"
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

constexpr std::size_t kConnections = 64;
constexpr int kMostWindows = 20;

// In messages, and before the first one. A Windows that is none takes a millisecond for each.
std::size_t WindowOf(Backend backend) { return backend == Backend::kIocp ? 2'000 : 20'000; }

/// How the two ends talk: so many messages of so many bytes in a burst, which is awaited.
struct Talk {
  std::size_t message_bytes;
  std::size_t messages;
  std::size_t BurstBytes() const { return message_bytes * messages; }
};

// Answers each whole message by a Send of its own.
class AnsweringSession final : public Session {
 public:
  explicit AnsweringSession(Talk talk) : talk_(talk) { begun_.reserve(talk.message_bytes); }

 private:
  void OnRecv(std::span<std::byte> bytes) override {
    while (!bytes.empty()) {
      const std::size_t taken = std::min(bytes.size(), talk_.message_bytes - begun_.size());
      begun_.insert(begun_.end(), bytes.begin(),
                    bytes.begin() + static_cast<std::ptrdiff_t>(taken));
      bytes = bytes.subspan(taken);
      if (begun_.size() < talk_.message_bytes) return;
      Send(begun_);
      begun_.clear();
    }
  }

  const Talk talk_;
  std::vector<std::byte> begun_;
};

// Sends a burst, and the next when all of it is back.
class AskingSession final : public Session {
 public:
  AskingSession(Talk talk, std::atomic<std::size_t>& messages)
      : talk_(talk), burst_(talk.BurstBytes(), std::byte{42}), messages_(messages) {}

 private:
  void OnConnected() override { Send(burst_); }
  void OnRecv(std::span<std::byte> bytes) override {
    received_ += bytes.size();
    if (received_ < burst_.size()) return;
    received_ = 0;
    messages_.fetch_add(talk_.messages, std::memory_order_relaxed);
    Send(burst_);
  }

  const Talk talk_;
  const std::vector<std::byte> burst_;
  std::atomic<std::size_t>& messages_;
  std::size_t received_ = 0;
};

// The allocations of both ends, in a window of some messages. A pool that still grows, because
// more was under way at once than ever before, makes a window that is not free of them: then the
// next one counts, and one in which there is none must come.
std::size_t AllocationsOf(Backend backend, Talk talk) {
  std::atomic<std::size_t> messages{0};
  WorldOptions options;
  options.threads = 1;
  options.factory = [talk] { return std::make_shared<AnsweringSession>(talk); };
  World world(NewFactory(backend), options);
  for (std::size_t i = 0; i < kConnections; ++i) {
    const Error error =
        world.connector->Connect(world.Address(), std::make_shared<AskingSession>(talk, messages));
    REQUIRE(error.Message() == Error().Message());
  }
  const auto wait_for = [&](std::size_t count) {
    const std::size_t goal = messages + count;
    return Eventually([&] { return messages >= goal; });
  };
  REQUIRE(wait_for(WindowOf(backend)));
  std::size_t allocations = SIZE_MAX;
  for (int window = 0; window < kMostWindows && allocations > 0; ++window) {
    const std::size_t before = allocation_count;
    const bool is_through = wait_for(WindowOf(backend));
    allocations = allocation_count - before;
    REQUIRE(is_through);
  }
  world.Finish();
  return allocations;
}

TEST_CASE("a steady echo allocates nothing", "[service][cost]") {
  for (const Backend backend : RealBackends()) {
    DYNAMIC_SECTION(ToString(backend) << ", one small message at a time") {
      CHECK(AllocationsOf(backend, {32, 1}) == 0);
    }
    DYNAMIC_SECTION(ToString(backend) << ", sixteen small messages, a Send each") {
      CHECK(AllocationsOf(backend, {32, 16}) == 0);
    }
    DYNAMIC_SECTION(ToString(backend) << ", one large message at a time") {
      CHECK(AllocationsOf(backend, {16 * 1024, 1}) == 0);
    }
  }
}

}  // namespace
}  // namespace netcore::test
