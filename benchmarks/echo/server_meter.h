// ServerMeter: what another process takes from the machine: CPU time and, where the kernel lets us
// count them, cycles, instructions and system calls.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <optional>
#include <vector>

namespace bench {

/// Owns: the counters. Lifetime: the process and its threads are there before it, and stay.
/// Threads: one.
class ServerMeter {
 public:
  struct Reading {
    double cpu_seconds = 0;  // of all its threads, user and system
    std::optional<std::uint64_t> cycles;
    std::optional<std::uint64_t> instructions;
    std::optional<std::uint64_t> system_calls;
  };

  /// Throws std::system_error if there is no such process; counters that can't be had are missing
  /// from the readings.
  ServerMeter(pid_t process, bool counts_system_calls);
  ServerMeter(const ServerMeter&) = delete;
  ServerMeter& operator=(const ServerMeter&) = delete;
  ~ServerMeter();

  Reading Read() const;

 private:
  // One descriptor a thread; none if one of them was refused.
  using Counters = std::vector<int>;

  static Counters Open(const std::vector<pid_t>& threads, std::uint32_t type, std::uint64_t config);
  static std::optional<std::uint64_t> Sum(const Counters& counters);

  clockid_t clock_ = 0;
  Counters cycles_;
  Counters instructions_;
  Counters system_calls_;
};

}  // namespace bench
