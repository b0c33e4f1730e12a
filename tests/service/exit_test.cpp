// std::exit where the library has called the user: the process ends with its status. Each in a
// process of its own (tests/exit/exit_program.cpp).
#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/exit/exit_program.h"
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

std::string Quoted(const std::string& text) { return '"' + text + '"'; }

// The status that it exited with. POSIX shifts it by eight bits (wait(2)), Windows does not.
int StatusOf(const std::string& where, Backend backend, const std::string& owner,
             const std::string& threads) {
  std::string program = std::filesystem::absolute(NETCORE_EXIT_PROGRAM).make_preferred().string();
  std::string command = Quoted(program) + " " + Quoted(where) + " " +
                        std::string(ToString(backend)) + " " + owner + " " + threads;
  // cmd.exe takes off the first and the last quote of all.
  if (std::filesystem::path::preferred_separator == '\\') command = Quoted(command);
#if defined(__SANITIZE_THREAD__)
  // Static objects are destroyed while other threads go on, which is what is stated: no report.
  command = "TSAN_OPTIONS=report_bugs=0 " + command;
#endif
  const int status = std::system(command.c_str());
  return status > 0xff ? status >> 8 : status;
}

void CheckExits(const std::string& where, const std::string& owner, const std::string& threads) {
  for (const Backend backend : RealBackends()) {
    INFO("exit in " << where << ", " << ToString(backend) << ", " << owner << ", " << threads);
    CHECK(StatusOf(where, backend, owner, threads) == kExitStatus);
  }
}

const std::string kExitOwners[] = {"stack", "static", "untidy"};
const std::string kExitThreads[] = {"own", "caller"};

TEST_CASE("std::exit inside a hook, a task or a factory ends the process with its status",
          "[service][exit]") {
  for (const char* where : {"OnConnected", "OnRecv", "OnSend", "OnPeerClosed", "OnDisconnected",
                            "task", "factory", "session destructor"}) {
    CheckExits(where, "static", "own");
    CheckExits(where, "stack", "caller");
  }
}

TEST_CASE("std::exit inside a hook does so whoever owns the service and its threads",
          "[service][exit]") {
  for (const std::string& owner : kExitOwners) {
    for (const std::string& threads : kExitThreads) {
      CheckExits("OnRecv", owner, threads);
      CheckExits("OnRecv, locked", owner, threads);
    }
  }
}

TEST_CASE("std::exit inside a job does so too", "[service][exit]") {
  for (const std::string& owner : kExitOwners) {
    for (const char* where : {"job", "job, locked", "timed job"}) CheckExits(where, owner, "own");
  }
}

TEST_CASE("std::exit inside a log sink does so too, on every thread that logs", "[service][exit]") {
  for (const std::string& owner : kExitOwners) {
    for (const char* where :
         {"throw", "factory that throws", "job that throws", "slow job", "slow hook"}) {
      CheckExits(where, owner, "own");
    }
  }
}

}  // namespace
}  // namespace netcore::test
