// Replaces operator new by one that counts. To be included by one source file of a test program:
// all of the program is counted then.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

#include "tests/support/allocation_count.h"

namespace netcore::test {

inline void* Allocate(std::size_t size) noexcept {
  allocation_count.fetch_add(1, std::memory_order_relaxed);
  std::size_t largest = largest_allocation.load(std::memory_order_relaxed);
  while (size > largest && !largest_allocation.compare_exchange_weak(largest, size)) {
  }
  return std::malloc(size > 0 ? size : 1);
}

inline void Free(void* memory) noexcept {
  if (memory != nullptr) free_count.fetch_add(1, std::memory_order_relaxed);
  std::free(memory);
}

}  // namespace netcore::test

// All forms for one object are here: a sanitizer would answer for those that are not.
void* operator new(std::size_t size) {
  if (void* const memory = netcore::test::Allocate(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return netcore::test::Allocate(size);
}
void operator delete(void* memory) noexcept { netcore::test::Free(memory); }
void operator delete(void* memory, std::size_t) noexcept { netcore::test::Free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { netcore::test::Free(memory); }
