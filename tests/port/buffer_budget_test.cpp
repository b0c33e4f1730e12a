// BufferBudget: grows where buffers run out often, shrinks where most were not needed.
#include "netcore/port/linux/buffer_budget.h"

#include <cstddef>

#include "tests/support/catch.h"

namespace netcore::linux_port {
namespace {

void EndRounds(BufferBudget& budget, std::size_t count, std::size_t taken) {
  for (std::size_t i = 0; i < count; ++i) budget.EndRound(taken);
}

void EndShortRounds(BufferBudget& budget, std::size_t count, std::size_t taken) {
  for (std::size_t i = 0; i < count; ++i) {
    budget.RanOut();
    budget.RanOut();
    budget.EndRound(taken);
  }
}

TEST_CASE("a budget doubles as soon as several rounds have run out, up to its most",
          "[port][budget]") {
  BufferBudget budget(8, 24);
  CHECK(budget.Wanted() == 8);
  EndShortRounds(budget, BufferBudget::kShortRounds - 1, 8);
  CHECK(budget.Wanted() == 8);
  EndShortRounds(budget, 1, 0);
  CHECK(budget.Wanted() == 16);
  EndShortRounds(budget, BufferBudget::kShortRounds, 16);
  CHECK(budget.Wanted() == 24);
  EndShortRounds(budget, BufferBudget::kShortRounds, 24);
  CHECK(budget.Wanted() == 24);
}

TEST_CASE("a budget bears with a burst now and then", "[port][budget]") {
  BufferBudget budget(8, 64);
  for (int i = 0; i < 10; ++i) {
    EndShortRounds(budget, BufferBudget::kShortRounds - 1, 8);
    EndRounds(budget, BufferBudget::kRounds - (BufferBudget::kShortRounds - 1), 4);
  }
  CHECK(budget.Wanted() == 8);
}

TEST_CASE("a budget never has more than there is", "[port][budget]") {
  CHECK(BufferBudget(8, 2).Wanted() == 2);
}

TEST_CASE("a budget halves behind many rounds that took little", "[port][budget]") {
  BufferBudget budget(8, 64);
  EndShortRounds(budget, 3 * BufferBudget::kShortRounds, 64);
  REQUIRE(budget.Wanted() == 64);
  constexpr std::size_t kLittle = 64 / BufferBudget::kRoom;

  SECTION("down to its least") {
    EndRounds(budget, BufferBudget::kRounds - 1, kLittle);
    CHECK(budget.Wanted() == 64);
    budget.EndRound(kLittle);
    CHECK(budget.Wanted() == 32);
    EndRounds(budget, BufferBudget::kRounds, kLittle);
    CHECK(budget.Wanted() == 32);
    EndRounds(budget, 3 * BufferBudget::kRounds, 1);
    CHECK(budget.Wanted() == 8);
  }
  SECTION("but not if they took a little more") {
    EndRounds(budget, BufferBudget::kRounds, kLittle + 1);
    CHECK(budget.Wanted() == 64);
  }
  SECTION("and not for rounds that took nothing") {
    EndRounds(budget, 2 * BufferBudget::kRounds, 0);
    CHECK(budget.Wanted() == 64);
  }
}

}  // namespace
}  // namespace netcore::linux_port
