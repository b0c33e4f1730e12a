// fault_server: a server that tests/interop ill-treats from outside. Says on stdout what became of
// each session, and how things stand whenever a line "stats" comes on stdin; ends with its input.
#include <netcore/netcore.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <iostream>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>

namespace {

using std::chrono::milliseconds;

enum class Answer {
  kEcho,        // as the sample does: stops reading from a client that does not read
  kEchoAlways,  // goes on reading, so that what is queued meets its bound
  kTicks,       // says nothing but what it sends to everybody
};

// A tick is this, in the machine's byte order, and then zeros.
struct TickHeader {
  std::uint64_t number;
  std::int64_t sent_ns;  // of the steady clock
};

// One line at a time, whichever threads they come from.
void Print(const std::string& line) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::cout << line << std::endl;
}

/// What all sessions share. Threads: any.
class Audience {
 public:
  explicit Audience(Answer answer, bool quiet) : answer_(answer), quiet_(quiet) {}

  Answer GetAnswer() const noexcept { return answer_; }
  bool IsQuiet() const noexcept { return quiet_; }

  void Join(netcore::SessionRef session) {
    const std::lock_guard lock(mutex_);
    members_.insert(std::move(session));
  }
  void Leave(const netcore::SessionRef& session) {
    const std::lock_guard lock(mutex_);
    members_.erase(session);
  }

  /// One buffer, shared by all. Under the lock, so that who joins gets every tick from then on.
  void SendToAll(const netcore::SendBufferRef& tick) {
    const std::lock_guard lock(mutex_);
    for (const netcore::SessionRef& member : members_) member->Send(tick);
  }

  std::atomic<int> alive{0};       // session objects
  std::atomic<int> violations{0};  // hooks that came when they must not

 private:
  const Answer answer_;
  const bool quiet_;
  std::mutex mutex_;
  std::unordered_set<netcore::SessionRef> members_;
};

class FaultSession final : public netcore::Session {
 public:
  explicit FaultSession(std::shared_ptr<Audience> audience) : audience_(std::move(audience)) {
    ++audience_->alive;
  }
  ~FaultSession() override {
    if (stage_ != Stage::kEnded) ++audience_->violations;
    --audience_->alive;
  }

 private:
  enum class Stage { kNew, kConnected, kEnded };

  static constexpr std::size_t kPauseAbove = 256 * 1024;
  static constexpr std::size_t kResumeBelow = 64 * 1024;

  void Expect(Stage stage) noexcept {
    if (stage_ != stage) ++audience_->violations;
  }

  void OnConnected() override {
    Expect(Stage::kNew);
    stage_ = Stage::kConnected;
    if (audience_->GetAnswer() == Answer::kTicks) audience_->Join(shared_from_this());
  }
  void OnRecv(std::span<std::byte> bytes) override {
    Expect(Stage::kConnected);
    if (audience_->GetAnswer() == Answer::kTicks) return;
    Send(bytes);
    if (audience_->GetAnswer() == Answer::kEcho && QueuedBytes() > kPauseAbove) PauseRecv();
  }
  void OnSend(std::size_t) override {
    Expect(Stage::kConnected);
    if (QueuedBytes() < kResumeBelow) ResumeRecv();
  }
  void OnDisconnected(const netcore::CloseInfo& info) override {
    Expect(Stage::kConnected);
    stage_ = Stage::kEnded;
    audience_->Leave(shared_from_this());
    if (audience_->IsQuiet()) return;
    Print("ended " + std::to_string(PeerEndpoint().Port()) + ' ' +
          std::to_string(info.bytes_unsent) + ' ' + std::string(netcore::ToString(info.reason)));
  }

  const std::shared_ptr<Audience> audience_;
  Stage stage_ = Stage::kNew;
};

/// Owns: the thread that sends the ticks. Lifetime: ends before its audience.
class Ticker {
 public:
  Ticker(Audience& audience, milliseconds every, std::size_t bytes)
      : thread_([this, &audience, every, bytes] { Run(audience, every, bytes); }) {}
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;
  ~Ticker() {
    stopping_ = true;
    thread_.join();
  }

 private:
  using Clock = std::chrono::steady_clock;

  void Run(Audience& audience, milliseconds every, std::size_t bytes) {
    Clock::time_point next = Clock::now();
    for (std::uint64_t number = 0; !stopping_; ++number) {
      netcore::SendBufferRef tick = netcore::SendBuffer::Create(bytes);
      const std::span<std::byte> room = tick->Writable();
      std::fill(room.begin(), room.end(), std::byte{0});
      const TickHeader header{number,
                              std::chrono::nanoseconds(Clock::now().time_since_epoch()).count()};
      std::memcpy(room.data(), &header, sizeof header);
      audience.SendToAll(tick);
      std::this_thread::sleep_until(next += every);
    }
  }

  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

struct CommandLine {
  netcore::ServiceOptions service;
  Answer answer = Answer::kEcho;
  std::int64_t tick_ms = 10;
  std::size_t tick_bytes = 1'000;
  bool quiet = false;
};

void Declare(CLI::App& app, CommandLine& line) {
  app.add_option("--address", line.service.address, "address to listen on");
  app.add_option("--port", line.service.port, "0: any free one");
  app.add_option("--threads", line.service.core.threads, "workers");
  app.add_option_function<std::string>("--backend", [&line](const std::string& name) {
    if (const auto error = netcore::ParseBackend(name, line.service.core.backend)) {
      throw CLI::ValidationError("--backend", error.Message());
    }
  });
  app.add_option_function<std::string>("--answer", [&line](const std::string& name) {
    constexpr std::array kNames{"echo", "echo-always", "ticks"};
    const auto* const found = std::find(kNames.begin(), kNames.end(), name);
    if (found == kNames.end()) throw CLI::ValidationError("--answer", "no such answer: " + name);
    line.answer = static_cast<Answer>(std::distance(kNames.begin(), found));
  });
  app.add_option("--tick-ms", line.tick_ms, "between two ticks");
  app.add_option("--tick-bytes", line.tick_bytes, "of each tick")
      ->check(CLI::Range(sizeof(TickHeader), std::size_t{1'000'000}));
  app.add_option("--max-queue", line.service.session.max_send_queue_bytes, "bytes of a session");
  app.add_option_function<int>("--buffers", [&line](int bytes) {
    line.service.session.socket.send_buffer_bytes = bytes;
    line.service.session.socket.recv_buffer_bytes = bytes;
  });
  app.add_flag("--quiet", line.quiet, "don't tell of each session");
}

std::string StatsLine(const netcore::ServiceStats& stats, const Audience& audience) {
  std::string line = "stats {\"sessions\": " + std::to_string(stats.sessions) +
                     ", \"total\": " + std::to_string(stats.total_sessions) +
                     ", \"refused\": " + std::to_string(stats.refused) +
                     ", \"accept_failures\": " + std::to_string(stats.accept_failures) +
                     ", \"accepts_aborted\": " + std::to_string(stats.accepts_aborted) +
                     ", \"bytes_in\": " + std::to_string(stats.bytes_received) +
                     ", \"bytes_out\": " + std::to_string(stats.bytes_sent) +
                     ", \"alive\": " + std::to_string(audience.alive) +
                     ", \"violations\": " + std::to_string(audience.violations) + ", \"ended\": {";
  const char* separator = "";
  for (std::size_t index = 0; index < netcore::kCloseReasonCount; ++index) {
    if (stats.ended[index] == 0) continue;
    line += separator;
    line += '"' + std::string(ToString(static_cast<netcore::CloseReason>(index))) + "\": ";
    line += std::to_string(stats.ended[index]);
    separator = ", ";
  }
  return line + "}}";
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line;
  line.service.max_sessions = 0;
  CLI::App app("A server to be ill-treated.", "fault_server");
  Declare(app, line);
  CLI11_PARSE(app, argc, argv);

  const auto audience = std::make_shared<Audience>(line.answer, line.quiet);
  line.service.factory = [audience] { return std::make_shared<FaultSession>(audience); };
  netcore::Service service(line.service);
  if (const netcore::Error error = service.Start()) {
    std::cerr << "fault_server: " << error.Message() << std::endl;
    return 1;
  }
  const netcore::IocpCore& core = *service.GetIocpCore();
  Print("listening on " + service.LocalEndpoint().ToString() + " (backend " +
        std::string(core.BackendName()) + ", " + std::to_string(core.WorkerCount()) + " threads)");
  {
    std::unique_ptr<Ticker> ticker;
    if (line.answer == Answer::kTicks) {
      ticker = std::make_unique<Ticker>(*audience, milliseconds(line.tick_ms), line.tick_bytes);
    }
    for (std::string word; std::getline(std::cin, word);) {
      Print(StatsLine(service.Stats(), *audience));
    }
  }
  service.Stop(std::chrono::seconds(2));
  const bool complete = service.WaitStopped().complete;
  Print(StatsLine(service.Stats(), *audience));
  return complete ? 0 : 1;
}
