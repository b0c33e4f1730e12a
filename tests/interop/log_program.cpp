// Writes lines to the built-in log and ends in one of many ways, for tests/interop/log_cases.py; or
// serves with one worker and logs what it is asked to, for tests/prove/logs.py. Says on stdout when
// it has done what it was asked for.
#include <netcore/base/assert.h>
#include <netcore/netcore.h>

#if defined(__linux__)
#include <sys/wait.h>
#include <unistd.h>
#endif

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace {

const netcore::Log& TheLog() {
  static const netcore::Log log;
  return log;
}

void WriteLines(int count, std::string_view text = "line") {
  for (int line = 0; line < count; ++line) {
    TheLog().Write(netcore::LogLevel::kError, std::string(text) + " " + std::to_string(line));
  }
}

void Say(const char* what) {
  std::puts(what);
  std::fflush(stdout);
}

struct LogsWhenItGoes {
  ~LogsWhenItGoes() { WriteLines(1, "static destructor"); }
};

// Sends back what it gets. A '!' throws, which is logged and ends the session.
class EchoOrThrow final : public netcore::Session {
  void OnRecv(std::span<std::byte> bytes) override {
    if (bytes[0] == std::byte{'!'}) throw std::runtime_error("as asked");
    Send(bytes);
  }
};

volatile std::sig_atomic_t stop_asked = 0;

int Serve() {
  std::signal(SIGTERM, [](int) { stop_asked = 1; });
  netcore::ServiceOptions options;
  options.address = "127.0.0.1";
  options.port = 0;
  options.factory = netcore::MakeSession<EchoOrThrow>;
  options.core.threads = 1;
  netcore::Service service(options);
  if (const netcore::Error error = service.Start()) return 1;
  Say(service.LocalEndpoint().ToString().c_str());
  while (stop_asked == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  service.Stop(std::chrono::seconds(1));
  return service.WaitStopped().complete ? 3 : 4;
}

// What its caller does, after so many lines: the name of an end.
void End(std::string_view how) {
  if (how == "exit") std::exit(3);
  if (how == "exit-of-thread") std::thread([] { std::exit(3); }).join();
#if defined(__linux__)
  if (how == "quick-exit") std::quick_exit(3);
  if (how == "fork") {
    const pid_t child = ::fork();
    if (child == 0) {
      WriteLines(1, "child");
      std::exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    WriteLines(1, "parent");
    std::exit(status == 0 ? 3 : 4);
  }
#endif
  if (how == "assert") NETCORE_ASSERT(how.empty());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string how = argv[1];
  if (how == "serve") return Serve();
  const int count = std::atoi(argv[2]);
  static const netcore::Log first;  // older than the object that logs when it goes
  if (how == "late") {
    static const LogsWhenItGoes late;
    WriteLines(count);
    return 3;
  }
  WriteLines(count);
  Say("written");
  if (how == "wait") {  // until the reader has read, then once more
    std::getchar();
    WriteLines(1, "after");
    return 3;
  }
  End(how);
  return 3;
}
