// Groups in the large: a thousand receivers some of whom are stuck, and fifty thousand sessions
// that come, join, leave and go.
#include <cstring>
#include <filesystem>

#include "tests/support/allocation_count.h"
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

constexpr std::size_t kStuck = 10;

// A numbered message: its number, then bytes that follow from it.
constexpr std::size_t kMessageBytes = 2'048;

std::string Message(std::uint32_t number) {
  std::string text(kMessageBytes, '\0');
  std::memcpy(text.data(), &number, sizeof number);
  for (std::size_t at = sizeof number; at < text.size(); ++at) {
    text[at] = static_cast<char>(number * 31 + at);
  }
  return text;
}

// Follows a stream of messages, and keeps nothing but where it is.
class Follower {
 public:
  void Take(std::span<const std::byte> bytes) {
    const std::string text = AsText(bytes);
    for (std::size_t at = 0; at < text.size();) {
      if (place_ == 0) message_ = Message(next_);
      const std::size_t size = std::min(text.size() - at, kMessageBytes - place_);
      if (message_.compare(place_, size, text, at, size) != 0) wrong_ = true;
      at += size;
      place_ += size;
      if (place_ < kMessageBytes) continue;
      place_ = 0;
      ++next_;
      count_.store(next_);
    }
  }
  std::uint32_t Count() const { return count_; }
  bool Wrong() const { return wrong_; }

 private:
  std::string message_;
  std::size_t place_ = 0;
  std::uint32_t next_ = 0;
  std::atomic<std::uint32_t> count_{0};
  std::atomic<bool> wrong_{false};
};

TEST_CASE(
    "of a thousand receivers ten are stuck, and the others hear everything, in order, on time",
    "[session][groups][row18]") {
  WorldOptions options;
  options.keep_received = false;
  options.accept_depth = 64;
  options.server.max_send_queue_bytes = 64 * 1024;
  options.server.socket.send_buffer_bytes = 16 * 1024;
  options.client.socket.recv_buffer_bytes = 16 * 1024;
  OnAllBackends(options, [&](World& world) {
    // A Windows that is none takes a millisecond for each that hears something.
    const std::size_t receivers = world.core->BackendName() == "iocp" ? 300 : 1'000;
    SessionManager& manager = *world.service->Sessions();
    std::vector<std::unique_ptr<Follower>> followers;
    std::vector<TestSessionRef> clients;
    for (std::size_t index = 0; index < receivers; ++index) {
      followers.push_back(std::make_unique<Follower>());
      Hooks hooks;
      hooks.on_recv = [follower = followers.back().get()](
                          TestSession&, std::span<std::byte> bytes) { follower->Take(bytes); };
      clients.push_back(world.Connect(hooks));
      // No more at once than a backlog holds.
      REQUIRE(world.WaitFor([&] { return manager.Count() + 50 > index; }));
    }
    REQUIRE(world.WaitFor([&] { return manager.Count() == receivers; }));
    REQUIRE(world.WaitFor([&] {
      return std::all_of(clients.begin(), clients.end(),
                         [](const TestSessionRef& client) { return client->WasConnected(); });
    }));
    manager.ForEach([&](const SessionRef& session) { REQUIRE(manager.Join(kRoom, session)); });
    const auto is_stuck = [&](std::size_t index) { return index % (receivers / kStuck) == 17; };
    for (std::size_t index = 0; index < receivers; ++index) {
      if (is_stuck(index)) clients[index]->PauseRecv();
    }
    world.RunFor(milliseconds(50));

    // Each message waits until the others have the one before, whether the stuck ones are ended by
    // then or not; so a delay of the others shows as a test that does not end.
    std::uint32_t said = 0;
    const auto all_heard = [&] {
      for (std::size_t index = 0; index < receivers; ++index) {
        if (!is_stuck(index) && followers[index]->Count() != said) return false;
      }
      return true;
    };
    while (manager.Count() > receivers - kStuck || said < 100) {
      REQUIRE(said < 2'000);
      REQUIRE(manager.Broadcast(kRoom, SendBuffer::Copy(AsBytes(Message(said)))));
      ++said;
      REQUIRE(world.WaitFor(all_heard, milliseconds(20'000)));
    }
    CHECK(manager.GroupSize(kRoom) == receivers - kStuck);
    CHECK(world.WaitFor(
        [&] { return world.service->Stats().Ended(CloseReason::kSendQueueFull) == kStuck; }));
    CHECK(world.service->Stats().sessions == receivers - kStuck);
    std::size_t wrong = 0;
    for (const auto& follower : followers) wrong += follower->Wrong() ? 1 : 0;
    CHECK(wrong == 0);
    for (std::size_t index = 0; index < receivers; ++index) {
      if (is_stuck(index)) clients[index]->ResumeRecv();
    }
    for (std::size_t index = 0; index < receivers; ++index) {
      if (!is_stuck(index)) continue;
      REQUIRE(world.WaitFor([&] { return clients[index]->Ended(); }));
      CHECK(clients[index]->Info().reason == CloseReason::kPeerReset);
    }
    for (const TestSessionRef& client : clients) client->Disconnect();
    REQUIRE(world.WaitFor([&] { return manager.Count() == 0 && world.AllEnded(); }));
    CHECK(manager.GroupCount() == 0);
  });
}

// Joins and leaves as it comes and goes.
class Passenger final : public Session {
 public:
  static inline std::atomic<std::size_t> alive_count{0};
  static inline std::atomic<std::size_t> failures{0};

  Passenger() { ++alive_count; }
  ~Passenger() override { --alive_count; }

 private:
  void OnConnected() override {
    SessionManager& manager = *Manager();
    const bool joined = manager.Join(kRoom, Id()) && manager.Join(GroupId{Id().value}, Id()) &&
                        manager.Join(GroupId{Id().value % 100}, Id());
    if (!joined || !manager.Broadcast(GroupId{Id().value}, SendBuffer::Copy(AsBytes("hi")))) {
      ++failures;
    }
  }
  void OnRecv(std::span<std::byte>) override { Manager()->Leave(kRoom, Id()); }
};

// Waits for its greeting, says one byte, and goes without a trace: a reset leaves no TIME_WAIT.
class Visitor final : public Session {
 public:
  explicit Visitor(std::atomic<std::size_t>& ended) : ended_(ended) { ++Passenger::alive_count; }
  ~Visitor() override { --Passenger::alive_count; }

 private:
  void OnRecv(std::span<std::byte>) override {
    Send(AsBytes("x"));
    Disconnect(CloseReason::kLocal, Id().value % 4 == 0 ? Closing::kGraceful : Closing::kAbort);
  }
  void OnDisconnected(const CloseInfo& info) override {
    if (info.reason != CloseReason::kLocal) ++Passenger::failures;
    ++ended_;
  }

  std::atomic<std::size_t>& ended_;
};

// 0 where the system does not tell. (A Windows program under Wine would see Wine's own.)
std::size_t OpenDescriptors() {
  std::size_t count = 0;
  if (!IsSupported(Backend::kEpoll)) return count;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end;
       !error && entry != end; entry.increment(error)) {
    ++count;
  }
  return count;
}

TEST_CASE("fifty thousand connect, join, leave and close, and everything is as before",
          "[session][groups]") {
  WorldOptions options;
  options.accept_depth = 64;
  options.factory = [] { return std::make_shared<Passenger>(); };
  OnAllBackends(options, [&](World& world) {
    // A Windows that is none makes it many times slower.
    const std::size_t total = world.core->BackendName() == "iocp" ? 5'000 : 50'000;
    constexpr std::size_t kAtOnce = 100;
    SessionManager& manager = *world.service->Sessions();
    Passenger::failures = 0;
    std::atomic<std::size_t> ended{0};
    std::size_t begun = 0;
    const auto ride = [&] {
      for (std::size_t count = 0; count < kAtOnce; ++count, ++begun) {
        REQUIRE_FALSE(world.connector->Connect(world.Address(), std::make_shared<Visitor>(ended)));
      }
      REQUIRE(world.WaitFor([&] { return ended == begun && Passenger::alive_count == 0; }));
    };
    for (int times = 0; times < 5; ++times) ride();
    const std::size_t descriptors = OpenDescriptors();
    const std::size_t allocations = LiveAllocations();
    while (begun < total) ride();
    CHECK(Passenger::failures == 0);
    CHECK(manager.Count() == 0);
    CHECK(manager.GroupCount() == 0);
    CHECK(manager.GroupSize(kRoom) == 0);
    CHECK(world.service->Stats().groups == 0);
    CHECK(world.service->Stats().total_sessions == total);
    CHECK(world.Servers().empty());
    // What was warm after the first rides is all that is kept, but for some chunk of some pool.
    CHECK(OpenDescriptors() <= descriptors + 2);
    CHECK(LiveAllocations() < allocations + kAtOnce);
  });
}

}  // namespace
}  // namespace netcore::test
