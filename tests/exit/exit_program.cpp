// Calls std::exit where the library has called it, and ends with kStatus if all is well: a program
// of its own, as a test can't outlive that.
//
//     netcore_exit_program WHERE BACKEND OWNER THREADS
#include "tests/exit/exit_program.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "netcore/netcore.h"

namespace netcore::test {
namespace {

using std::chrono::milliseconds;

constexpr int kLeft = 4;  // the server has ended
constexpr int kFailed = 5;

std::string where;

bool Is(std::string_view name) { return where == name; }

// What hooks of all threads use. It is never destroyed: that they go on during std::exit is stated.
struct Players {
  std::mutex mutex;
  std::map<const Session*, std::string> names;
};

Players& AllPlayers() {
  static Players* const players = new Players;
  return *players;
}

// The main thread has made and started all, and destroys or calls none of it any more by itself.
std::atomic<bool> is_started{false};

// What std::exit destroys must not be under construction on another thread.
[[noreturn]] void Exit() {
  while (!is_started) std::this_thread::sleep_for(milliseconds(1));
  std::exit(kExitStatus);
}

// With a lock that all other hooks take.
[[noreturn]] void ExitLocked() {
  const std::lock_guard lock(AllPlayers().mutex);
  Exit();
}

JobQueueRef queue;

class Victim : public Session {
 public:
  ~Victim() override {
    if (Is("session destructor")) Exit();
  }

 private:
  void OnConnected() override {
    {
      const std::lock_guard lock(AllPlayers().mutex);
      AllPlayers().names[this] = "somebody";
    }
    if (Is("OnConnected")) Exit();
    if (Is("throw")) throw std::runtime_error("for the log");
  }
  void OnRecv(std::span<std::byte> bytes) override {
    if (Is("OnRecv")) Exit();
    if (Is("OnRecv, locked")) ExitLocked();
    if (Is("task")) Post([] { Exit(); });
    if (Is("Disconnect")) Disconnect();
    if (Is("job")) queue->Push([] { Exit(); });
    if (Is("job, locked")) queue->Push([] { ExitLocked(); });
    if (Is("timed job")) queue->PushAfter(milliseconds(1), [] { Exit(); });
    if (Is("job that throws")) queue->Push([] { throw std::runtime_error("for the log"); });
    if (Is("slow job")) queue->Push([] { std::this_thread::sleep_for(std::chrono::hours(1)); });
    if (Is("slow hook")) std::this_thread::sleep_for(std::chrono::hours(1));
    Send(bytes);
  }
  void OnSend(std::size_t) override {
    if (Is("OnSend")) Exit();
  }
  void OnPeerClosed() override {
    if (Is("OnPeerClosed")) Exit();
  }
  void OnDisconnected(const CloseInfo&) override {
    const std::lock_guard lock(AllPlayers().mutex);
    AllPlayers().names.erase(this);
    if (Is("OnDisconnected")) Exit();
  }
};

class Client final : public Session {
 private:
  void OnConnected() override {
    Send(std::array<std::byte, 4>{});
    if (Is("OnPeerClosed")) ShutdownSend();
    if (Is("OnDisconnected") || Is("session destructor"))
      Disconnect(CloseReason::kLocal, Closing::kAbort);
  }
  void OnRecv(std::span<std::byte> bytes) override { Send(bytes); }
  void OnDisconnected(const CloseInfo&) override {
    const std::lock_guard lock(AllPlayers().mutex);
    AllPlayers().names.erase(this);
  }
};

SessionRef MakeVictim() {
  if (Is("factory")) Exit();
  if (Is("factory that throws")) throw std::runtime_error("for the log");
  return std::make_shared<Victim>();
}

void Sink(LogLevel, std::string_view line) {
  std::fprintf(stderr, "log: %.*s\n", static_cast<int>(line.size()), line.data());
  if (Is("throw") || Is("factory that throws") || Is("job that throws") || Is("slow job") ||
      Is("slow hook")) {
    ExitLocked();
  }
}

/// All that a server is made of.
struct Server {
  Server(Backend backend, bool own_threads, bool waits_stopped)
      : runs(own_threads), waits(waits_stopped) {
    LogicPoolOptions logic;
    logic.threads = 2;
    logic.log = Sink;
    logic.job_time_limit = milliseconds(20);
    pool = std::make_shared<LogicPool>(logic);
    CoreOptions options;
    options.threads = 3;
    options.backend = backend;
    options.log = Sink;
    options.hook_time_limit = milliseconds(20);
    core = std::make_shared<IocpCore>(std::move(options));
    SessionOptions session;
    if (Is("OnPeerClosed")) session.on_peer_close = PeerClose::kKeepOpen;
    service = std::make_unique<Service>(core, std::make_shared<Listener>("127.0.0.1", 0),
                                        MakeVictim, 8, session);
    connector = std::make_unique<Connector>(core);
  }

  // What a tidy user does.
  ~Server() {
    if (service == nullptr) return;
    service->Stop(milliseconds(100));
    service->WaitStopped();
    if (queue != nullptr) {
      queue->Close(StopMode::kDrain);
      queue->WaitClosed();
    }
    pool->Stop(StopMode::kDrain);
    core->Stop();
  }

  int Run() {
    queue = JobQueue::Create(pool);
    if (const Error error = pool->Start()) return Fail(error);
    if (runs) {
      if (const Error error = core->Run()) return Fail(error);
    }
    if (const Error error = service->Start()) return Fail(error);
    for (int i = 0; i < 12; ++i) {
      if (const Error error =
              connector->Connect(service->LocalEndpoint(), std::make_shared<Client>())) {
        return Fail(error);
      }
    }
    const auto dispatch = [core = core] {  // std::exit may destroy *this
      while (core->Dispatch() != DispatchStatus::kStopped) {
      }
    };
    is_started = true;
    if (runs) {
      if (waits) service->WaitStopped();  // nobody stops it
      return kLeft;
    }
    std::thread other(dispatch);
    dispatch();
    other.join();
    return kLeft;
  }

  static int Fail(const Error& error) {
    std::fprintf(stderr, "%s\n", error.Message().c_str());
    return kFailed;
  }

  const bool runs;   // the core has threads of its own
  const bool waits;  // the main thread is in WaitStopped when the program ends
  std::shared_ptr<LogicPool> pool;
  std::shared_ptr<IocpCore> core;
  std::unique_ptr<Service> service;
  std::unique_ptr<Connector> connector;
};

// Two threads may not end a program: the main thread may see that its server is gone while another
// one is in std::exit, and leaves the end to that one.
int EndsElsewhere(int status) {
  if (status == kLeft) std::this_thread::sleep_for(std::chrono::hours(1));
  return status;
}

int RunProgram(Backend backend, std::string_view owner, bool own_threads) {
  // Nobody can stop what hangs in the end of the program but this.
  std::thread([] {
    std::this_thread::sleep_for(std::chrono::seconds(30));
    std::fputs("it hangs\n", stderr);
    std::_Exit(kHangs);
  }).detach();
  if (owner == "stack") {
    Server server(backend, own_threads, true);
    return EndsElsewhere(server.Run());
  }
  if (owner == "static") {
    static Server server(backend, own_threads, true);
    return EndsElsewhere(server.Run());
  }
  // What is destroyed in which order is left to chance.
  static std::unique_ptr<Server> server;
  server = std::make_unique<Server>(backend, own_threads, false);
  static const std::shared_ptr<IocpCore> core = server->core;
  static const std::shared_ptr<LogicPool> pool = server->pool;
  static const std::unique_ptr<Service> service = std::move(server->service);
  static Connector connector(core);
  Server& running = *server;
  running.service =
      std::make_unique<Service>(core, std::make_shared<Listener>("127.0.0.1", 0), MakeVictim, 8);
  return EndsElsewhere(running.Run());
}

}  // namespace
}  // namespace netcore::test

int main(int argc, char** argv) {
  using netcore::Backend;
  if (argc != 5) return 2;
  netcore::test::where = argv[1];
  const std::string_view backend = argv[2];
  for (const Backend one : {Backend::kIocp, Backend::kIoUring, Backend::kEpoll}) {
    if (backend == ToString(one)) {
      return netcore::test::RunProgram(one, argv[3], std::string_view(argv[4]) == "own");
    }
  }
  return 2;
}
