// What a user's object lifetimes can do to a session: pointers that do not own it, objects that are
// used twice, verbs in a destructor, what is read after the end.
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

/// std::make_shared sets neither of its two weak pointers.
class TwiceShared final : public Session, public std::enable_shared_from_this<TwiceShared> {};

class Mixin : public std::enable_shared_from_this<Mixin> {};
class TwiceSharedByMixin final : public PacketSession, private Mixin {
 public:
  TwiceSharedByMixin() : PacketSession(PacketFormat::LengthPrefix(2)) {}
};

static_assert(kIsSessionType<Session>);
static_assert(kIsSessionType<TestSession>);
static_assert(!kIsSessionType<TwiceShared>);
static_assert(!kIsSessionType<TwiceSharedByMixin>);
static_assert(!kIsSessionType<Mixin>);

struct Holder {
  TestSession inside;                                                    // no shared_ptr owns it
  std::shared_ptr<TestSession> owned = std::make_shared<TestSession>();  // another one does
};

struct WrongPointer {
  const char* name;
  std::function<SessionRef()> make;
};

SessionRef GoneSession() {
  auto session = std::make_shared<TestSession>();
  Session* const raw = session.get();
  const auto holder = std::make_shared<std::shared_ptr<TestSession>>(std::move(session));
  return SessionRef(holder, raw);
}

const std::vector<WrongPointer>& WrongPointers() {
  static const std::vector<WrongPointer> wrong = {
      {"a second enable_shared_from_this", [] { return std::make_shared<TwiceShared>(); }},
      {"a second enable_shared_from_this of a base",
       [] { return std::make_shared<TwiceSharedByMixin>(); }},
      {"an alias of an object that nobody else owns",
       [] {
         const auto holder = std::make_shared<Holder>();
         return SessionRef(holder, &holder->inside);
       }},
      {"an alias of an object that another pointer owns",
       [] {
         const auto holder = std::make_shared<Holder>();
         return SessionRef(holder, holder->owned.get());
       }},
      {"an alias of a pointer to the session", [] { return GoneSession(); }},
      {"an alias that owns nothing",
       [] {
         static TestSession session;
         return SessionRef(std::shared_ptr<void>(), &session);
       }},
  };
  return wrong;
}

TEST_CASE("a factory whose pointer does not own the session costs one connection only",
          "[session][lifetime]") {
  std::atomic<const WrongPointer*> wrong{nullptr};
  WorldOptions options;
  options.factory = [&]() -> SessionRef {
    const WrongPointer* const one = wrong.load();
    return one != nullptr ? one->make() : std::make_shared<TestSession>();
  };
  OnAllBackends(options, [&](World& world) {
    std::size_t failures = 0;
    for (const WrongPointer& one : WrongPointers()) {
      INFO(one.name);
      wrong = &one;
      const TestSessionRef victim = world.Connect();
      REQUIRE(world.WaitFor([&] { return victim->Ended(); }));
      CHECK(world.service->Stats().factory_failures == ++failures);
      // One line a second.
      const std::size_t lines =
          world.log.Count("returned a session that is not owned by its std::shared_ptr");
      CHECK(lines >= 1);
      CHECK(lines <= failures);
    }
    wrong = nullptr;
    const TestSessionRef good = world.Connect();
    REQUIRE(world.WaitFor([&] { return world.service->Stats().total_sessions == 1; }));
    CHECK_FALSE(good->Ended());
  });
}

TEST_CASE("a connect with a pointer that does not own the session is an error in words",
          "[session][lifetime]") {
  OnAllBackends({}, [&](World& world) {
    for (const WrongPointer& one : WrongPointers()) {
      INFO(one.name);
      const Error error = world.connector->Connect(world.Address(), one.make());
      CHECK(error == ErrorCode::kInvalidArgument);
      CHECK(error.Message().find("connect " + world.Address().ToString()) == 0);
      CHECK(error.Message().find("is not owned by its std::shared_ptr") != std::string::npos);
    }
    const World::Pair pair = world.ConnectPair();
    const Error error = world.connector->Connect(world.Address(), pair.client);
    CHECK(error == ErrorCode::kInvalidArgument);
    CHECK(error.Message().find("the session was used before") != std::string::npos);
  });
}

TEST_CASE("a session that nobody owns but a deleter that does nothing is served like any other",
          "[session][lifetime]") {
  // Lives longer than the world, as its owner must see to.
  std::array<std::optional<TestSession>, 8> sessions;
  std::atomic<std::size_t> made{0};  // one at a time
  WorldOptions options;
  options.factory = [&] {
    std::optional<TestSession>& session = sessions.at(made);
    session.emplace();
    ++made;
    return SessionRef(&*session, [](Session*) {});
  };
  OnAllBackends(options, [&](World& world) {
    const std::size_t before = made;
    const TestSessionRef client = world.Connect();
    client->SendText("");
    REQUIRE(world.WaitFor([&] {
      return made == before + 1 && sessions.at(before)->WasConnected() && client->WasConnected();
    }));
    TestSession& server = *sessions.at(before);
    server.SendText("hello");
    CHECK(world.WaitFor([&] { return client->Received() == "hello"; }));
    client->Disconnect();
    REQUIRE(world.WaitFor([&] { return client->Ended() && server.Ended(); }));
    CHECK(world.WaitFor([&] { return server.weak_from_this().expired(); }));
  });
}

TEST_CASE("of two threads that connect the same session one is told that it was used",
          "[session][lifetime]") {
  OnRealBackends({}, [](World& world) {
    for (int round = 0; round < 50; ++round) {
      const auto session = std::make_shared<TestSession>();
      std::atomic<int> ready{0};
      std::array<Error, 2> errors;
      const auto connect = [&](Error& error) {
        ++ready;
        while (ready < 2) std::this_thread::yield();
        error = world.connector->Connect(world.Address(), session);
      };
      std::thread other([&] { connect(errors[0]); });
      connect(errors[1]);
      other.join();
      CHECK(!errors[0] != !errors[1]);
      REQUIRE(world.WaitFor([&] { return session->WasConnected(); }));
      session->Disconnect();
      REQUIRE(world.WaitFor([&] { return session->Ended(); }));
    }
  });
}

/// Calls every verb when it is destroyed.
class TalksAtTheEnd final : public Session {
 public:
  explicit TalksAtTheEnd(std::atomic<int>& destroyed) : destroyed_(destroyed) {}
  ~TalksAtTheEnd() override {
    const std::array<std::byte, 4> bytes{};
    CHECK(Send(bytes) == SendResult::kClosing);
    CHECK(Send(SendBuffer::Copy(bytes)) == SendResult::kClosing);
    CHECK_FALSE(Post([] {}));
    ShutdownSend();
    PauseRecv();
    ResumeRecv();
    Disconnect(CloseReason::kLocal, Closing::kAbort);
    if (const std::shared_ptr<SessionManager> manager = Manager()) manager->LeaveAll(Id());
    CHECK(QueuedBytes() == 0);
    CHECK_FALSE(IsConnected());
    ++destroyed_;
  }

 private:
  std::atomic<int>& destroyed_;
};

TEST_CASE("all verbs may be called in a session's destructor, on any thread",
          "[session][lifetime]") {
  std::atomic<int> destroyed{0};
  const bool on_own_thread = GENERATE(true, false);
  INFO("on its own thread: " << on_own_thread);
  std::mutex mutex;
  SessionRef kept;
  WorldOptions options;
  options.factory = [&]() -> SessionRef {
    auto session = std::make_shared<TalksAtTheEnd>(destroyed);
    const std::lock_guard lock(mutex);
    if (!on_own_thread) kept = session;
    return session;
  };
  OnAllBackends(options, [&](World& world) {
    destroyed = 0;
    const TestSessionRef client = world.Connect();
    REQUIRE(world.WaitFor([&] { return world.service->Stats().total_sessions == 1; }));
    client->Disconnect(CloseReason::kLocal, Closing::kAbort);
    REQUIRE(world.WaitFor([&] { return world.service->Stats().sessions == 0; }));
    {
      const std::lock_guard lock(mutex);
      kept.reset();
    }
    CHECK(world.WaitFor([&] { return destroyed == 1; }));
  });
}

TEST_CASE("nothing is queued once OnDisconnected was called, and its info says what was lost",
          "[session][lifetime]") {
  constexpr std::size_t kInside = SIZE_MAX - 1;
  std::atomic<std::size_t> inside{kInside};
  WorldOptions options = Narrow();
  options.hooks.on_disconnected = [&](TestSession& session, const CloseInfo&) {
    inside = session.QueuedBytes();
  };
  const Closing closing = GENERATE(Closing::kAbort, Closing::kGraceful);
  options.server.close_timeout = milliseconds(50);
  OnAllBackends(options, [&](World& world) {
    inside = kInside;
    const World::Pair pair = world.ConnectPair(NotReading());
    const std::string text = RandomText(8 * 1024 * 1024, 1);
    CHECK(pair.server->SendText(text) == SendResult::kQueued);
    CHECK(pair.server->QueuedBytes() > 0);
    pair.server->Disconnect(CloseReason::kLocal, closing);
    REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
    CHECK(pair.server->Info().bytes_unsent > 0);
    CHECK(inside == 0);
    CHECK(pair.server->QueuedBytes() == 0);
    CHECK(pair.server->SendText("more") == SendResult::kClosing);
    CHECK(pair.server->QueuedBytes() == 0);
  });
}

TEST_CASE("who sends while a session ends never sees more queued than was sent",
          "[session][lifetime]") {
  OnRealBackends(Unbounded(), [](World& world) {
    for (int round = 0; round < 20; ++round) {
      const World::Pair pair = world.ConnectPair();
      std::atomic<bool> stop{false};
      std::atomic<std::size_t> most{0};
      std::vector<std::thread> threads;
      for (int i = 0; i < 2; ++i) {
        threads.emplace_back([&] {
          for (int sends = 0; sends < 100'000 && !stop; ++sends) {
            pair.server->SendText("1234");
            most = std::max(most.load(), pair.server->QueuedBytes());
          }
        });
      }
      REQUIRE(world.WaitFor([&] { return pair.server->SentBytes() > 0; }));
      pair.server->Disconnect(CloseReason::kLocal, Closing::kAbort);
      REQUIRE(world.WaitFor([&] { return pair.server->Ended(); }));
      stop = true;
      for (std::thread& thread : threads) thread.join();
      CHECK(pair.server->QueuedBytes() == 0);
      CHECK(most <= 2 * 100'000 * 4);
      REQUIRE(world.WaitFor([&] { return pair.client->Ended(); }));
    }
  });
}

}  // namespace
}  // namespace netcore::test
