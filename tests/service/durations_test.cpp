// Every duration among the options, by a table: negative ones are refused by name, and zero and the
// greatest ones limit nothing. What functions take as an argument is in durations_call_test.cpp.
#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include "netcore/sim/simulate.h"
#include "tests/support/process_counts.h"
#include "tests/support/test_packets.h"
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

constexpr std::uint64_t kDurationSeed = 15;
constexpr int kDurationPort = 7'000;
constexpr std::chrono::hours kYear{24 * 365};

constexpr std::array kNegative = {milliseconds::min(), milliseconds::min() + milliseconds(1),
                                  milliseconds(-1)};

// The last but one is the first that does not go into nanoseconds. The last one is a time that a
// clock reaches: its timers are armed.
constexpr std::array kLimitless = {milliseconds(0), kForever, kForever - milliseconds(1),
                                   milliseconds(9'223'372'036'855), milliseconds(100 * kYear)};

// All options that have durations. Those that are a limit to sessions or hooks are zero.
struct AllOptions {
  SessionOptions session{.frame_timeout = {}, .send_stall_timeout = {}, .close_timeout = {}};
  ConnectorOptions connector{.timeout = {}};
  CoreOptions core{.threads = 1, .hook_time_limit = {}};
  LogicPoolOptions logic{.threads = 1, .job_time_limit = {}};
  SimOptions sim{.faults = false};
};

Error StartService(const AllOptions& options) {
  ServiceOptions service;
  service.address = "127.0.0.1";
  service.factory = MakeSession<TestSession>;
  service.core = options.core;
  service.session = options.session;
  return Service(std::move(service)).Start();
}

Error ConnectOnce(const AllOptions& options) {
  CoreOptions core = options.core;
  core.port_factory = std::make_shared<MemoryFactory>();
  ConnectorOptions connector = options.connector;
  connector.session = options.session;
  const auto session = std::make_shared<TestSession>();
  const Error error = Connector(std::make_shared<IocpCore>(core), connector)
                          .Connect(Endpoint::LoopbackIpv4(1), session);
  if (error) CHECK_FALSE(session->Id());  // it was not begun: another connector may take it
  return error;
}

Error OpenCore(const AllOptions& options) { return IocpCore(options.core).Open(); }
Error RunCore(const AllOptions& options) { return IocpCore(options.core).Run(); }

Error StartLogic(const AllOptions& options) {
  return std::make_shared<LogicPool>(options.logic)->Start();
}

Error RunWorld(const AllOptions& options) {
  const SimReport report = Simulate(kDurationSeed, [](SimWorld&) {}, options.sim);
  if (report.Ok()) return {};
  return Error(ErrorCode::kInvalidArgument, 0, report.failure);
}

struct DurationRow {
  std::string_view kind;
  std::string_view name;
  void (*set)(AllOptions&, milliseconds);
  std::vector<Error (*)(const AllOptions&)> refused_by;
};

const std::vector<DurationRow>& DurationRows() {
  using All = AllOptions;
  static const std::vector<DurationRow> rows = {
      {"session",
       "idle_timeout",
       [](All& all, milliseconds value) { all.session.idle_timeout = value; },
       {StartService, ConnectOnce}},
      {"session",
       "first_packet_timeout",
       [](All& all, milliseconds value) { all.session.first_packet_timeout = value; },
       {StartService, ConnectOnce}},
      {"session",
       "frame_timeout",
       [](All& all, milliseconds value) { all.session.frame_timeout = value; },
       {StartService, ConnectOnce}},
      {"session",
       "send_stall_timeout",
       [](All& all, milliseconds value) { all.session.send_stall_timeout = value; },
       {StartService, ConnectOnce}},
      {"session",
       "close_timeout",
       [](All& all, milliseconds value) { all.session.close_timeout = value; },
       {StartService, ConnectOnce}},
      {"connector",
       "timeout",
       [](All& all, milliseconds value) { all.connector.timeout = value; },
       {ConnectOnce}},
      {"core",
       "hook_time_limit",
       [](All& all, milliseconds value) { all.core.hook_time_limit = value; },
       {StartService, ConnectOnce, OpenCore, RunCore}},
      {"logic pool",
       "job_time_limit",
       [](All& all, milliseconds value) { all.logic.job_time_limit = value; },
       {StartLogic}},
      {"simulation",
       "drain_limit",
       [](All& all, milliseconds value) { all.sim.drain_limit = value; },
       {RunWorld}},
  };
  return rows;
}

std::size_t CountRows(std::string_view kind) {
  const auto& rows = DurationRows();
  return static_cast<std::size_t>(std::count_if(
      rows.begin(), rows.end(), [&](const DurationRow& row) { return row.kind == kind; }));
}

template <typename Type>
struct IsDuration : std::false_type {};
template <typename Rep, typename Period>
struct IsDuration<std::chrono::duration<Rep, Period>> : std::true_type {};

template <typename... Members>
std::size_t CountDurations(const Members&...) {
  return (std::size_t{0} + ... + (IsDuration<Members>::value ? 1U : 0U));
}

// An option that is added does not compile here until it is named, and if it is a duration, the
// test fails until the table has it.
TEST_CASE("every duration among the options is in the table", "[durations]") {
  {
    const auto& [queue, idle, first_packet, frame, stall, close, on_peer_close, socket] =
        SessionOptions();
    CHECK(CountDurations(queue, idle, first_packet, frame, stall, close, on_peer_close, socket) ==
          CountRows("session"));
  }
  {
    const auto& [no_delay, send_buffer, recv_buffer] = SocketOptions();
    CHECK(CountDurations(no_delay, send_buffer, recv_buffer) == 0);
  }
  {
    const auto& [timeout, session] = ConnectorOptions();
    CHECK(CountDurations(timeout, session) == CountRows("connector"));
  }
  {
    const auto& [threads, backend, log, log_level, hook_limit, port_factory] = CoreOptions();
    CHECK(CountDurations(threads, backend, log, log_level, hook_limit, port_factory) ==
          CountRows("core"));
  }
  {
    const auto& [address, port, factory, core, depth, max_sessions, session] = ServiceOptions();
    CHECK(CountDurations(address, port, factory, core, depth, max_sessions, session) == 0);
  }
  {
    const auto& [threads, log, log_level, job_limit] = LogicPoolOptions();
    CHECK(CountDurations(threads, log, log_level, job_limit) == CountRows("logic pool"));
  }
  {
    const auto& [name, max_jobs, log] = JobQueueOptions();
    CHECK(CountDurations(name, max_jobs, log) == 0);
  }
  {
    const auto& [servers, clients, logic, faults, client, drain, memory] = SimOptions();
    CHECK(CountDurations(servers, clients, logic, faults, client, drain, memory) ==
          CountRows("simulation"));
  }
}

TEST_CASE("a negative duration among the options is refused, by name and value", "[durations]") {
  for (const DurationRow& row : DurationRows()) {
    for (const milliseconds value : kNegative) {
      const std::string option = std::string(row.kind) + " option " + std::string(row.name);
      INFO(option << " " << value.count());
      AllOptions options;
      row.set(options, value);
      for (const auto& use : row.refused_by) {
        const Error error = use(options);
        CHECK(error == ErrorCode::kInvalidArgument);
        const std::string expected = option + " is " + std::to_string(value.count()) + " ms";
        CHECK(error.Message().find(expected) != std::string::npos);
      }
    }
  }
}

TEST_CASE("a core that refuses an option refuses each Dispatch, and the log says why",
          "[durations]") {
  LogLines log;
  CoreOptions options;
  options.threads = 1;
  options.log = log.Sink();
  options.hook_time_limit = milliseconds(-1);
  IocpCore core(options);
  CHECK(core.Dispatch(milliseconds(0)) == DispatchStatus::kStopped);
  CHECK(core.WorkerCount() == 0);
  CHECK(log.Count("core option hook_time_limit is -1 ms") == 1);
}

// The peers of a year: each waits for something that one of the time-outs would cut off.
class YearLong {
 public:
  YearLong(SimWorld& world, const SessionOptions& options) : world_(world) {
    world_.Listen(kDurationPort, [this] { return MakeServer(); }, options);
  }

  void Run() {
    quiet_ = Connect("");  // idle_timeout, first_packet_timeout
    slow_ = Connect(Packet("echo") + Packet("echo").substr(0, 3));  // frame_timeout
    stalled_ = Connect(Packet("flood"));                            // send_stall_timeout
    leaving_ = Connect(Packet("leave"));                            // close_timeout
    stalled_->PauseRecv();
    leaving_->PauseRecv();
    const auto all_connected = [this] { return Count('C') == 4 && servers_.size() == 4; };
    world_.Check(world_.RunUntil(all_connected), "all connect");
    world_.RunFor(kYear);
    world_.Check(Count('D') == 0, "nothing has ended within a year");
    quiet_->SendText(Packet("echo"));
    slow_->SendText(Packet("echo").substr(3));
    stalled_->ResumeRecv();
    leaving_->ResumeRecv();
    const std::string echo = Packet("echo");
    const std::string flood = Packet(kFlood);
    const auto served = [&] {
      return quiet_->ReceivedBytes() == echo.size() && slow_->ReceivedBytes() == 2 * echo.size() &&
             stalled_->ReceivedBytes() == flood.size() && leaving_->ReceivedBytes() == flood.size();
    };
    world_.Check(world_.RunUntil(served), "all are served after a year");
    world_.Check(quiet_->Received() == echo && slow_->Received() == echo + echo, "by an echo");
    world_.Check(stalled_->Received() == flood && leaving_->Received() == flood, "by a flood");
    world_.Check(world_.RunUntil([this] { return leaving_->Ended(); }), "a graceful end is over");
    world_.Check(leaving_->Info().reason == CloseReason::kPeerClosed, "by FIN, not by a reset");
  }

 private:
  static inline const PacketFormat kFormat = PacketFormat::LengthPrefix(4, 1024 * 1024);
  static inline const std::string kFlood = RandomText(200'000, 1);  // more than is on the way

  static std::string Packet(std::string_view payload) {
    std::string header(kFormat.header_size, '\0');
    kFormat.WriteHeader(std::as_writable_bytes(std::span(header)), 0, payload.size());
    return header + std::string(payload);
  }

  SessionRef MakeServer() {
    PacketHooks hooks;
    hooks.on_packet = [](TestPacketSession& session, const PacketView& packet) {
      const std::string said = AsText(packet.payload);
      session.SendText(0, said == "echo" ? said : kFlood);
      if (said == "leave") session.Disconnect();
    };
    servers_.push_back(std::make_shared<TestPacketSession>(kFormat, std::move(hooks)));
    return servers_.back();
  }

  TestSessionRef Connect(const std::string& first_words) {
    Hooks hooks;
    hooks.on_connected = [first_words](TestSession& session) { session.SendText(first_words); };
    auto client = std::make_shared<TestSession>(std::move(hooks));
    const Error error = world_.Connect(kDurationPort, client);
    world_.Check(!error, error.Message());
    clients_.push_back(client);
    return client;
  }

  std::ptrdiff_t Count(char letter) const {
    const auto has = [letter](const auto& session) {
      return session->Trace().find(letter) != std::string::npos;
    };
    return std::count_if(clients_.begin(), clients_.end(), has) +
           (letter == 'D' ? std::count_if(servers_.begin(), servers_.end(), has) : 0);
  }

  SimWorld& world_;
  std::vector<std::shared_ptr<TestPacketSession>> servers_;
  std::vector<TestSessionRef> clients_;
  TestSessionRef quiet_;
  TestSessionRef slow_;
  TestSessionRef stalled_;
  TestSessionRef leaving_;
};

TEST_CASE("with a duration of zero or of ever a session waits for a year", "[durations]") {
  for (const DurationRow& row : DurationRows()) {
    for (const milliseconds value : kLimitless) {
      INFO(row.kind << " option " << row.name << " " << value.count());
      AllOptions options;
      row.set(options, value);
      options.sim.client = options.connector;
      options.sim.client.session = options.session;
      const SimReport report = Simulate(
          kDurationSeed, [&](SimWorld& world) { YearLong(world, options.session).Run(); },
          options.sim);
      INFO(report.Text());
      CHECK(report.Ok());
    }
  }
}

TEST_CASE("with a hook time limit of zero or of ever nothing looks at hooks", "[durations]") {
  const auto threads_with = [](milliseconds limit) {
    CoreOptions options;
    options.threads = 1;
    options.hook_time_limit = limit;
    const auto before = SettledCountOf("task");
    IocpCore core(options);
    REQUIRE_FALSE(core.Open());
    return SettledCountOf("task") - before;
  };
  std::thread([] {}).join();  // ThreadSanitizer has one of its own from the first on
  const std::ptrdiff_t watchdog = CountOf("task") > 0 ? 1 : 0;  // where the system tells
  CHECK(threads_with(milliseconds(500)) == watchdog);
  CHECK(threads_with(100 * kYear) == watchdog);
  CHECK(threads_with(milliseconds(0)) == 0);
  CHECK(threads_with(kForever) == 0);
  CHECK(threads_with(kForever - milliseconds(1)) == 0);
}

TEST_CASE("with any time-outs and limits from zero on a real server echoes and jobs run",
          "[durations]") {
  const int index = GENERATE(range(0, static_cast<int>(kLimitless.size())));
  const milliseconds value = kLimitless[static_cast<std::size_t>(index)];
  INFO(value.count());
  WorldOptions options;
  options.hook_time_limit = value;
  options.connect_timeout = value;
  options.server.idle_timeout = value;  // of 100 years: the system's timers are set for it
  options.server.send_stall_timeout = value;
  options.server.close_timeout = value;
  options.client = options.server;
  options.hooks.on_recv = [](TestSession& session, std::span<std::byte> bytes) {
    session.Send(bytes);
  };
  OnRealBackends(options, [&](World& world) {
    LogicPoolOptions logic;
    logic.threads = 1;
    logic.log = world.log.Sink();
    logic.job_time_limit = value;
    const auto pool = std::make_shared<LogicPool>(logic);
    REQUIRE_FALSE(pool->Start());
    const JobQueueRef queue = JobQueue::Create(pool);
    std::atomic<bool> ran{false};
    CHECK(queue->Push([&] { ran = true; }) == PushResult::kQueued);
    const World::Pair pair = world.ConnectPair();
    pair.client->SendText("hello");
    CHECK(Eventually([&] { return pair.client->Received() == "hello"; }));
    CHECK(Eventually([&] { return ran.load(); }));
    pool->Stop(StopMode::kDrain);
    CHECK(world.log.Count("has not returned") == 0);
  });
}

}  // namespace
}  // namespace netcore::test
