#include "echo/server_meter.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "echo/system_call.h"

namespace bench {
namespace {

std::vector<pid_t> ThreadsOf(pid_t process) {
  std::vector<pid_t> threads;
  const std::string folder = "/proc/" + std::to_string(process) + "/task";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    threads.push_back(static_cast<pid_t>(std::stol(entry.path().filename().string())));
  }
  return threads;
}

// The number of the tracepoint that each system call passes; none without tracefs or without the
// right to see it.
std::optional<std::uint64_t> SystemCallTracepoint() {
  for (const char* const folder : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    std::ifstream file(std::string(folder) + "/events/raw_syscalls/sys_enter/id");
    std::uint64_t id = 0;
    if (file >> id) return id;
  }
  return std::nullopt;
}

}  // namespace

ServerMeter::ServerMeter(pid_t process, bool counts_system_calls) {
  const int error = ::clock_getcpuclockid(process, &clock_);
  if (error != 0) throw std::system_error(error, std::generic_category(), "clock_getcpuclockid");
  const std::vector<pid_t> threads = ThreadsOf(process);
  cycles_ = Open(threads, PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES);
  instructions_ = Open(threads, PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS);
  if (!counts_system_calls) return;
  if (const auto id = SystemCallTracepoint()) {
    system_calls_ = Open(threads, PERF_TYPE_TRACEPOINT, *id);
  }
}

ServerMeter::~ServerMeter() {
  for (const Counters* const counters : {&cycles_, &instructions_, &system_calls_}) {
    for (const int descriptor : *counters) ::close(descriptor);
  }
}

ServerMeter::Reading ServerMeter::Read() const {
  timespec time{};
  Check(::clock_gettime(clock_, &time), "clock_gettime");
  Reading reading;
  reading.cpu_seconds = static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  reading.cycles = Sum(cycles_);
  reading.instructions = Sum(instructions_);
  reading.system_calls = Sum(system_calls_);
  return reading;
}

ServerMeter::Counters ServerMeter::Open(const std::vector<pid_t>& threads, std::uint32_t type,
                                        std::uint64_t config) {
  Counters counters;
  for (const pid_t thread : threads) {
    perf_event_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.type = type;
    attributes.config = config;
    const long descriptor = ::syscall(SYS_perf_event_open, &attributes, thread, -1, -1, 0);
    if (descriptor < 0) {
      for (const int opened : counters) ::close(opened);
      return {};
    }
    counters.push_back(static_cast<int>(descriptor));
  }
  return counters;
}

std::optional<std::uint64_t> ServerMeter::Sum(const Counters& counters) {
  if (counters.empty()) return std::nullopt;
  std::uint64_t sum = 0;
  for (const int descriptor : counters) {
    std::uint64_t count = 0;
    if (::read(descriptor, &count, sizeof count) != sizeof count) return std::nullopt;
    sum += count;
  }
  return sum;
}

}  // namespace bench
