// Turn: who waits for its end is told once, in order.
#include "netcore/base/turn.h"

#include <thread>
#include <utility>
#include <vector>

#include "tests/support/catch.h"

namespace netcore::test {
namespace {

class Waiter final : public Turn::Waiter {
 public:
  Waiter(int name, std::vector<int>& told) : name_(name), told_(told) {}

  Waiter* adds = nullptr;

 private:
  void OnTurnEnd() noexcept override {
    told_.push_back(name_);
    if (adds != nullptr) Turn::Current()->Add(*std::exchange(adds, nullptr));
  }

  const int name_;
  std::vector<int>& told_;
};

TEST_CASE("a thread is in a turn or not", "[turn]") {
  CHECK(Turn::Current() == nullptr);
  {
    const Turn turn;
    CHECK(Turn::Current() == &turn);
    std::thread([] { CHECK(Turn::Current() == nullptr); }).join();
  }
  CHECK(Turn::Current() == nullptr);
}

TEST_CASE("those who wait are told at the end of the turn, in order, once", "[turn]") {
  std::vector<int> told;
  Waiter one(1, told);
  Waiter two(2, told);
  Waiter three(3, told);
  {
    Turn turn;
    turn.Add(two);
    turn.Add(one);
    CHECK(told.empty());
    turn.End();
    CHECK(told == std::vector{2, 1});
    turn.End();
    CHECK(told == std::vector{2, 1});
    turn.Add(three);
    turn.Add(two);
  }
  CHECK(told == std::vector{2, 1, 3, 2});
}

TEST_CASE("who begins to wait while others are told is told too", "[turn]") {
  std::vector<int> told;
  Waiter one(1, told);
  Waiter two(2, told);
  one.adds = &two;
  two.adds = &one;
  {
    Turn turn;
    turn.Add(one);
  }
  CHECK(told == std::vector{1, 2, 1});
}

}  // namespace
}  // namespace netcore::test
