// Task: what it holds, where, and when it lets go of it.
#include "netcore/base/task.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>

#include "tests/support/catch.h"

namespace netcore {
namespace {

// A callable of a given size that counts its lives and its runs, and the class its allocations.
struct Counts {
  int alive = 0;
  int runs = 0;
};

template <std::size_t kExtraBytes, bool kThrowingMove = false>
class Counted {
 public:
  explicit Counted(Counts& counts) : counts_(&counts) { ++counts_->alive; }
  Counted(Counted&& other) noexcept(!kThrowingMove) : counts_(other.counts_) { ++counts_->alive; }
  Counted& operator=(Counted&&) = delete;
  ~Counted() { --counts_->alive; }

  void operator()() { ++counts_->runs; }

  static void* operator new(std::size_t size) {
    ++heap_allocations;
    return ::operator new(size);
  }
  static void* operator new(std::size_t, void* place) noexcept { return place; }
  static void operator delete(void* memory) { ::operator delete(memory); }

  static inline int heap_allocations = 0;

 private:
  Counts* counts_;
  std::array<std::byte, kExtraBytes> extra_{};
};

using Small = Counted<Task::kInlineSize - sizeof(void*)>;
using Large = Counted<Task::kInlineSize - sizeof(void*) + 1>;
using ThrowingMove = Counted<1, true>;

TEST_CASE("an empty task is false", "[task]") {
  CHECK_FALSE(Task());
  Task task([] {});
  CHECK(task);
  task = Task();
  CHECK_FALSE(task);
}

TEST_CASE("a task runs its callable as often as it is asked", "[task]") {
  int runs = 0;
  Task task([&runs] { ++runs; });
  task();
  task();
  CHECK(runs == 2);
}

TEMPLATE_TEST_CASE("a callable lives once, until its task ends", "[task]", Small, Large,
                   ThrowingMove) {
  Counts counts;
  {
    Task task{TestType(counts)};
    CHECK(counts.alive == 1);
    Task moved = std::move(task);
    CHECK_FALSE(task);  // NOLINT: what a move leaves is part of the contract
    CHECK(counts.alive == 1);
    moved();
    CHECK(counts.runs == 1);
    task = std::move(moved);
    CHECK(counts.alive == 1);
    task();
    CHECK(counts.runs == 2);
    Task& same = task;
    task = std::move(same);
    REQUIRE(task);
    CHECK(counts.alive == 1);
    task = Task(TestType(counts));
    CHECK(counts.alive == 1);
  }
  CHECK(counts.alive == 0);
}

TEST_CASE("a small callable is kept inside, a large one and one whose move may throw are not",
          "[task]") {
  Counts counts;
  const int before_small = Small::heap_allocations;
  const int before_large = Large::heap_allocations;
  const int before_throwing = ThrowingMove::heap_allocations;
  Task small{Small(counts)};
  Task large{Large(counts)};
  Task throwing{ThrowingMove(counts)};
  Task moved = std::move(large);
  CHECK(Small::heap_allocations == before_small);
  CHECK(Large::heap_allocations == before_large + 1);
  CHECK(ThrowingMove::heap_allocations == before_throwing + 1);
}

TEST_CASE("a task holds what can only be moved", "[task]") {
  int seen = 0;
  Task task([value = std::make_unique<int>(7), &seen] { seen = *value; });
  Task moved = std::move(task);
  moved();
  CHECK(seen == 7);
}

TEST_CASE("an over-aligned callable stays aligned", "[task]") {
  struct alignas(64) Aligned {
    std::uintptr_t* seen;
    void operator()() { *seen = reinterpret_cast<std::uintptr_t>(this); }
  };
  std::uintptr_t seen = 1;
  Task task(Aligned{&seen});
  Task moved = std::move(task);
  moved();
  CHECK(seen % 64 == 0);
}

TEST_CASE("what a callable throws leaves the task as it was", "[task]") {
  int runs = 0;
  Task task([&runs] {
    if (++runs == 1) throw std::runtime_error("once");
  });
  CHECK_THROWS_AS(task(), std::runtime_error);
  CHECK(task);
  task();
  CHECK(runs == 2);
}

}  // namespace
}  // namespace netcore
