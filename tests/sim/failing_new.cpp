#include "tests/sim/failing_new.h"

#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace netcore::test {
namespace {

struct State {
  std::uint64_t left;  // until one fails; 0: none will
  std::int64_t live;
  bool counting;
  bool failed;
};

// Without a constructor, so that it is there for the very first allocation.
constinit thread_local State state{};

void* Allocate(std::size_t size) noexcept {
  if (state.counting && state.left > 0 && --state.left == 0) {
    state.failed = true;
    return nullptr;
  }
  void* const memory = std::malloc(size > 0 ? size : 1);
  if (memory != nullptr) ++state.live;
  return memory;
}

void Free(void* memory) noexcept {
  if (memory != nullptr) --state.live;
  std::free(memory);
}

}  // namespace

FailingMemory& FailingMemory::OfThisThread() noexcept {
  thread_local FailingMemory memory;
  return memory;
}

void FailingMemory::FailNth(std::uint64_t nth) noexcept { state.left = nth; }
void FailingMemory::Disarm() noexcept { state.left = 0; }
bool FailingMemory::TakeFailed() noexcept { return std::exchange(state.failed, false); }
bool FailingMemory::SetCounting(bool on) noexcept { return std::exchange(state.counting, on); }
std::int64_t FailingMemory::LiveCount() const noexcept { return state.live; }

void* AllocateOrThrow(std::size_t size) {
  if (void* const memory = Allocate(size)) return memory;
  throw std::bad_alloc();
}
void* AllocateOrNull(std::size_t size) noexcept { return Allocate(size); }
void FreeCounted(void* memory) noexcept { Free(memory); }

}  // namespace netcore::test

// All forms for one object are here: a sanitizer would answer for those that are not.
void* operator new(std::size_t size) { return netcore::test::AllocateOrThrow(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return netcore::test::AllocateOrNull(size);
}
void operator delete(void* memory) noexcept { netcore::test::FreeCounted(memory); }
void operator delete(void* memory, std::size_t) noexcept { netcore::test::FreeCounted(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  netcore::test::FreeCounted(memory);
}
