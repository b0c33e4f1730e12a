// What tests/support/counting_new.h counts, for the other sources of the same test program.
#pragma once

#include <atomic>
#include <cstddef>

namespace netcore::test {

inline std::atomic<std::size_t> allocation_count{0};
inline std::atomic<std::size_t> largest_allocation{0};

}  // namespace netcore::test
