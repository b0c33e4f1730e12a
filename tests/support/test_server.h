// A service and a connector on one core, for tests of what stands above the seam: every backend of
// this machine with real threads, and the memory port driven by the test itself, behind the same
// few words. Sessions write down what happens to them and check the rules that hold always.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "netcore/netcore.h"
#include "netcore/sim/memory_factory.h"
#include "tests/support/bytes.h"
#include "tests/support/catch.h"
#include "tests/support/hook_record.h"
#include "tests/support/limits.h"
#include "tests/support/log_lines.h"

namespace netcore::test {

using std::chrono::milliseconds;

inline constexpr milliseconds kLimit = kWaitLimit;  // for what must happen
inline constexpr GroupId kRoom{7};                  // where a test needs one group

/// Bytes that repeat nowhere near, the same for the same seed.
inline std::string RandomText(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random() & 0xff);
  return text;
}

/// A number as four bytes, in this machine's order.
inline std::string Encode(std::uint32_t number) {
  std::string text(sizeof number, '\0');
  std::memcpy(text.data(), &number, sizeof number);
  return text;
}

/// The number whose bytes begin at `at`.
inline std::uint32_t NumberAt(const std::string& text, std::size_t at) {
  std::uint32_t number = 0;
  std::memcpy(&number, text.data() + at, sizeof number);
  return number;
}

inline std::uint32_t NewSeed() { return std::random_device()(); }

class TestSession;

/// What a test adds to the hooks of its sessions.
struct Hooks {
  std::function<void(TestSession&)> on_connected{};
  std::function<void(TestSession&, std::span<std::byte>)> on_recv{};
  std::function<void(TestSession&, std::size_t)> on_send{};
  std::function<void(TestSession&)> on_peer_closed{};
  std::function<void(TestSession&, const CloseInfo&)> on_disconnected{};
};

/// Threads: what it tells, any.
class TestSession final : public Session, public HookRecord {
 public:
  explicit TestSession(Hooks hooks = {}, bool keep_received = true)
      : hooks_(std::move(hooks)), keep_received_(keep_received) {
    alive_count.fetch_add(1);
  }
  ~TestSession() override { alive_count.fetch_sub(1); }

  /// What the hooks that have returned were told, as the two below.
  std::string Received() const {
    const std::lock_guard lock(mutex_);
    return received_.substr(0, ReceivedBytes());
  }
  std::size_t ReceivedBytes() const { return received_bytes_.load(); }
  std::size_t SentBytes() const { return sent_bytes_.load(); }

  SendResult SendText(std::string_view text) { return Send(AsBytes(text)); }

  static inline std::atomic<int> alive_count{0};

 private:
  void OnConnected() override {
    const Scope scope(*this, 'C');
    if (hooks_.on_connected) hooks_.on_connected(*this);
  }
  void OnRecv(std::span<std::byte> bytes) override {
    const Scope scope(*this, 'R', &received_bytes_, bytes.size());
    if (keep_received_) {
      const std::lock_guard lock(mutex_);
      received_ += AsText(bytes);
    }
    if (hooks_.on_recv) hooks_.on_recv(*this, bytes);
  }
  void OnSend(std::size_t bytes) override {
    const Scope scope(*this, 'S', &sent_bytes_, bytes);
    if (hooks_.on_send) hooks_.on_send(*this, bytes);
  }
  void OnPeerClosed() override {
    const Scope scope(*this, 'P');
    if (hooks_.on_peer_closed) hooks_.on_peer_closed(*this);
  }
  void OnDisconnected(const CloseInfo& info) override {
    const auto keep = shared_from_this();  // a test may let go as soon as it sees that it ended
    const Scope scope(*this, 'D');
    Write(info);
    if (hooks_.on_disconnected) hooks_.on_disconnected(*this, info);
  }

  const Hooks hooks_;
  const bool keep_received_;
  mutable std::mutex mutex_;
  std::string received_;
  std::atomic<std::size_t> received_bytes_{0};
  std::atomic<std::size_t> sent_bytes_{0};
};

using TestSessionRef = std::shared_ptr<TestSession>;

inline bool IsSupported(Backend backend) {
  std::unique_ptr<PortFactory> factory;
  return !MakePortFactory(backend, std::make_shared<const Log>([](LogLevel, std::string_view) {}),
                          factory);
}

/// The backends with real sockets that this machine offers.
inline const std::vector<Backend>& RealBackends() {
  static const std::vector<Backend> backends = [] {
    std::vector<Backend> found;
    for (const Backend backend : {Backend::kIocp, Backend::kIoUring, Backend::kEpoll}) {
      if (IsSupported(backend)) found.push_back(backend);
    }
    return found;
  }();
  return backends;
}

inline std::shared_ptr<PortFactory> NewFactory(Backend backend) {
  std::unique_ptr<PortFactory> factory;
  const Error error = MakePortFactory(backend, std::make_shared<const Log>(), factory);
  REQUIRE(error.Message() == Error().Message());
  return factory;
}

/// The same, and `gone` becomes true when it is destroyed, with all that was made of it: the last
/// that a core leaves behind.
inline std::shared_ptr<PortFactory> NewFactory(Backend backend, std::atomic<bool>& gone) {
  std::shared_ptr<PortFactory> factory = NewFactory(backend);
  PortFactory* const raw = factory.get();
  return std::shared_ptr<PortFactory>(raw, [factory, &gone](PortFactory*) mutable {
    factory.reset();
    gone = true;
  });
}

/// Waits, on the real clock, until `condition` holds.
template <typename Condition>
bool Eventually(Condition&& condition, milliseconds limit = kLimit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return true;
}

struct WorldOptions {
  std::size_t threads = 2;
  SessionOptions server{};
  SessionOptions client{};
  milliseconds connect_timeout{10'000};
  std::size_t max_sessions = 10'000;
  std::size_t accept_depth = 8;
  milliseconds hook_time_limit{0};
  Hooks hooks{};             // of the server's sessions
  SessionFactory factory{};  // instead of those
  bool keep_received = true;
  LogLevel log_level = LogLevel::kWarning;
};

/// No limit to what may be queued.
inline WorldOptions Unbounded() {
  WorldOptions options;
  options.server.max_send_queue_bytes = 0;
  options.client.max_send_queue_bytes = 0;
  return options;
}

/// Small buffers all the way, and no limit to what may be queued: what is sent to a peer that reads
/// nothing soon stays queued.
inline WorldOptions Narrow() {
  WorldOptions options;
  options.server.socket.send_buffer_bytes = 8 * 1024;
  options.server.socket.recv_buffer_bytes = 8 * 1024;
  options.client.socket = options.server.socket;
  options.server.max_send_queue_bytes = 0;
  return options;
}

/// Of a peer that reads nothing until it is resumed.
inline Hooks NotReading() {
  Hooks hooks;
  hooks.on_connected = [](TestSession& session) { session.PauseRecv(); };
  return hooks;
}

/// A core, a service that listens, a connector. With a memory factory: one worker, run by the test
/// in WaitFor and in no other place.
class World {
 public:
  World(std::shared_ptr<PortFactory> port_factory, WorldOptions options)
      : options_(std::move(options)), is_memory_(port_factory->Name() == "memory") {
    CoreOptions core_options;
    core_options.threads = is_memory_ ? 1 : options_.threads;
    core_options.log = log.Sink();
    core_options.log_level = options_.log_level;
    core_options.hook_time_limit = options_.hook_time_limit;
    core_options.port_factory = std::move(port_factory);
    core = std::make_shared<IocpCore>(std::move(core_options));
    service =
        std::make_shared<Service>(core, std::make_shared<Listener>("127.0.0.1", 0), Factory(),
                                  options_.accept_depth, options_.server, options_.max_sessions);
    ConnectorOptions connector_options;
    connector_options.timeout = options_.connect_timeout;
    connector_options.session = options_.client;
    connector = std::make_shared<Connector>(core, connector_options);
    const Error error = service->Start();
    REQUIRE(error.Message() == Error().Message());
    if (!is_memory_) {
      REQUIRE_FALSE(core->Run());
      REQUIRE(Eventually([&] { return AllWorkersTaken(); }));
    }
  }

  bool IsMemory() const { return is_memory_; }
  Backend GetBackend() const {
    Backend backend = Backend::kAuto;
    REQUIRE_FALSE(ParseBackend(core->BackendName(), backend));
    return backend;
  }
  Endpoint Address() const { return service->LocalEndpoint(); }

  /// Runs the world until `condition` holds; false if it does not in time. On a memory port that is
  /// within `limit` of virtual time; on a real one a busy machine must not matter, so it is kLimit.
  template <typename Condition>
  bool WaitFor(Condition&& condition, milliseconds limit = kLimit) {
    if (!is_memory_) return Eventually(std::forward<Condition>(condition));
    milliseconds left = limit;
    while (!condition()) {
      if (left <= milliseconds::zero()) return false;
      if (core->Dispatch(kTick) != DispatchStatus::kHandled) left -= kTick;
    }
    return true;
  }

  /// Runs the world for so long: whatever must not happen has the chance to.
  void RunFor(milliseconds time) {
    const auto never = [] { return false; };
    static_cast<void>(is_memory_ ? WaitFor(never, time) : Eventually(never, time));
  }

  /// Begins to connect.
  TestSessionRef Connect(Hooks hooks = {}) {
    auto client = std::make_shared<TestSession>(std::move(hooks), options_.keep_received);
    const Error error = connector->Connect(Address(), client);
    REQUIRE(error.Message() == Error().Message());
    clients_.push_back(client);
    return client;
  }

  struct Pair {
    TestSessionRef client;
    TestSessionRef server;
  };

  /// Two ends that are connected.
  Pair ConnectPair(Hooks hooks = {}) {
    Pair pair{Connect(std::move(hooks)), nullptr};
    REQUIRE(WaitFor([&] { return pair.client->WasConnected(); }));
    REQUIRE(WaitFor([&] {
      pair.server = ServerOf(*pair.client);
      return pair.server != nullptr && pair.server->WasConnected();
    }));
    paired_.insert(pair.server.get());
    return pair;
  }

  std::vector<TestSessionRef> Servers() const {
    const std::lock_guard lock(mutex_);
    return servers_;
  }
  const std::vector<TestSessionRef>& Clients() const { return clients_; }

  bool AllEnded() const {
    const auto ended = [](const TestSessionRef& session) {
      return session->Ended() || !session->WasConnected();
    };
    const std::vector<TestSessionRef> servers = Servers();
    return std::all_of(servers.begin(), servers.end(), ended) &&
           std::all_of(clients_.begin(), clients_.end(),
                       [](const TestSessionRef& client) { return client->Ended(); });
  }

  /// Stops everything and checks what must hold after any test.
  void Finish() {
    service->Stop(milliseconds::zero());
    connector->Stop(milliseconds::zero());
    CHECK(connector->WaitStopped().complete);
    CHECK(service->WaitStopped().complete);
    CHECK(AllEnded());
    CHECK(service->Stats().sessions == 0);
    CHECK(connector->Stats().sessions == 0);
    for (const TestSessionRef& session : Servers()) CHECK(session->Violation() == "");
    for (const TestSessionRef& session : clients_) CHECK(session->Violation() == "");
    core->Stop();
  }

  LogLines log;
  std::shared_ptr<IocpCore> core;
  std::shared_ptr<Service> service;
  std::shared_ptr<Connector> connector;

 private:
  static constexpr milliseconds kTick{10};

  // So that sessions go to all of them.
  bool AllWorkersTaken() const {
    std::vector<Worker::Seat> seats;
    std::vector<bool> taken(core->WorkerCount());
    for (std::size_t i = 0; i < taken.size(); ++i) {
      seats.push_back(core->Workers()->Pick());
      taken[seats.back().GetWorker().Index()] = true;
    }
    return std::find(taken.begin(), taken.end(), false) == taken.end();
  }

  // The other end of `client`; null while it is not there yet. A client's port may be that of an
  // earlier one, whose other end is in a pair already or at least older.
  TestSessionRef ServerOf(const TestSession& client) const {
    const std::vector<TestSessionRef> servers = Servers();
    const auto found = std::find_if(servers.rbegin(), servers.rend(), [&](const auto& server) {
      return server->PeerEndpoint() == client.LocalEndpoint() &&
             server->PeerEndpoint().GetFamily() != Endpoint::Family::kNone &&
             !paired_.contains(server.get());
    });
    return found != servers.rend() ? *found : nullptr;
  }

  SessionFactory Factory() {
    if (options_.factory) return options_.factory;
    return [this]() -> std::shared_ptr<Session> {
      auto session = std::make_shared<TestSession>(options_.hooks, options_.keep_received);
      const std::lock_guard lock(mutex_);
      servers_.push_back(session);
      return session;
    };
  }

  const WorldOptions options_;
  const bool is_memory_;
  mutable std::mutex mutex_;
  std::vector<TestSessionRef> servers_;
  std::vector<TestSessionRef> clients_;
  std::unordered_set<const TestSession*> paired_;  // the servers of pairs; servers_ keeps them
};

/// Runs `body(world)` on each real backend, as a section of its own named after it.
template <typename Body>
void OnRealBackends(const WorldOptions& options, Body&& body) {
  REQUIRE_FALSE(RealBackends().empty());
  for (const Backend backend : RealBackends()) {
    DYNAMIC_SECTION(ToString(backend)) {
      World world(NewFactory(backend), options);
      body(world);
      world.Finish();
    }
  }
}

template <typename Body>
void OnMemory(const WorldOptions& options, Body&& body) {
  World world(std::make_shared<MemoryFactory>(), options);
  body(world);
  world.Finish();
}

/// The same on the memory port too.
template <typename Body>
void OnAllBackends(const WorldOptions& options, Body&& body) {
  SECTION("memory") { OnMemory(options, body); }
  OnRealBackends(options, body);
}

}  // namespace netcore::test

/// So that a failed check says which.
template <>
struct Catch::StringMaker<netcore::CloseReason> {
  static std::string convert(netcore::CloseReason reason) { return std::string(ToString(reason)); }
};

template <>
struct Catch::StringMaker<netcore::Error> {
  static std::string convert(const netcore::Error& error) {
    return error ? error.Message() : std::string("no error");
  }
};

template <>
struct Catch::StringMaker<netcore::ErrorCode> {
  static std::string convert(netcore::ErrorCode code) { return std::string(ToString(code)); }
};
