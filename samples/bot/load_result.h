// LoadResult: what came out of a load run, and how it is told to people and to programs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>

#include "bot/load_options.h"

namespace samples {

struct LoadResult {
  LoadOptions options;
  std::string mode;
  std::string backend;

  std::uint64_t connected = 0;
  std::uint64_t failed = 0;     // clients that could not connect
  std::uint64_t broken = 0;     // connections that ended before the run did
  std::uint64_t corrupted = 0;  // clients that got something other than what they sent
  std::string first_failure;    // what the first of these said

  std::chrono::duration<double> duration{0};  // of the load alone
  std::uint64_t messages = 0;                 // answered within it
  std::uint64_t bytes = 0;                    // received within it
  std::uint64_t lost = 0;                     // messages never answered, drain included

  std::chrono::nanoseconds p50{0};
  std::chrono::nanoseconds p99{0};
  std::chrono::nanoseconds max{0};

  bool Good() const noexcept;
  double MessagesPerSecond() const noexcept;
  double MegabytesPerSecond() const noexcept;  // 10^6 bytes, in each direction
};

void PrintTable(std::ostream& out, const LoadResult& result);

/// One object, flat; times in microseconds.
void PrintJson(std::ostream& out, const LoadResult& result);

}  // namespace samples
