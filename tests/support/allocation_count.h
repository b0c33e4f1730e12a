// What the operator new of counting_new.h counts, for all source files of the program.
#pragma once

#include <atomic>
#include <cstddef>

namespace netcore::test {

inline std::atomic<std::size_t> allocation_count{0};
inline std::atomic<std::size_t> largest_allocation{0};
inline std::atomic<std::size_t> free_count{0};

/// Blocks that are there now.
inline std::size_t LiveAllocations() noexcept {
  const std::size_t freed = free_count.load();  // first: what comes in between is there
  return allocation_count.load() - freed;
}

}  // namespace netcore::test
