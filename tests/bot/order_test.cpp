// What a receiver finds in one sender's messages, and what a speaker knows of its own.
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "bot/flight.h"
#include "bot/sequence_check.h"
#include "tests/support/catch.h"

namespace samples {
namespace {

using Order = SequenceCheck::Found;

std::vector<Order> TakeAll(const std::vector<std::uint32_t>& sequences) {
  SequenceCheck check;
  std::vector<Order> found;
  for (const std::uint32_t sequence : sequences) found.push_back(check.Take(sequence));
  return found;
}

TEST_CASE("messages in order are new, once", "[bot][order]") {
  CHECK(TakeAll({0, 1, 2, 2, 0, 3}) == std::vector{Order::kNew, Order::kNew, Order::kNew,
                                                   Order::kRepeated, Order::kRepeated,
                                                   Order::kNew});
}

TEST_CASE("a message that another one has overtaken is late, and then repeated", "[bot][order]") {
  CHECK(TakeAll({1, 0, 0, 3, 2}) ==
        std::vector{Order::kNew, Order::kLate, Order::kRepeated, Order::kNew, Order::kLate});
}

TEST_CASE("the oldest message that a window knows is late, and one before it repeated",
          "[bot][order]") {
  constexpr std::uint32_t kLast = SequenceCheck::kWindow - 1;
  CHECK(TakeAll({kLast, 0}).back() == Order::kLate);
  CHECK(TakeAll({kLast, 0, 0}).back() == Order::kRepeated);
  CHECK(TakeAll({kLast + 1, 0}).back() == Order::kRepeated);
  CHECK(TakeAll({kLast + 1, 1}).back() == Order::kLate);
}

TEST_CASE("a gap as long as the window or longer leaves nothing behind of what came before it",
          "[bot][order]") {
  constexpr std::uint32_t kGap = SequenceCheck::kWindow;
  CHECK(TakeAll({0, kGap, 1}).back() == Order::kLate);
  CHECK(TakeAll({0, kGap + 1, kGap}).back() == Order::kLate);
  CHECK(TakeAll({0, 4'000'000'000, 3'999'999'999}).back() == Order::kLate);
}

TEST_CASE("a speaker has room for as many messages as may be on their way, and no more",
          "[bot][flight]") {
  Flight flight;
  for (std::uint32_t sequence = 0; sequence < Flight::kSlots; ++sequence) {
    REQUIRE(flight.HasRoom());
    CHECK_FALSE(flight.HasDeparted(sequence));
    CHECK(flight.Depart(2) == sequence);
    CHECK(flight.HasDeparted(sequence));
  }
  CHECK_FALSE(flight.HasRoom());
  CHECK_FALSE(flight.Arrive(0));
  CHECK_FALSE(flight.Arrive(1));
  CHECK_FALSE(flight.HasRoom());
  CHECK(flight.Arrive(1));
  CHECK_FALSE(flight.HasRoom());  // it is the oldest that is in the way
  CHECK(flight.Arrive(0));
  REQUIRE(flight.HasRoom());
  CHECK(flight.Depart(1) == Flight::kSlots);
  CHECK(flight.HasRoom());
}

TEST_CASE("of receivers on several threads one is the last", "[bot][flight]") {
  constexpr std::uint32_t kThreads = 4;
  constexpr std::uint32_t kMessages = 20'000;
  Flight flight;
  std::atomic<std::uint32_t> departed{0};
  std::atomic<std::uint32_t> last{0};
  std::vector<std::thread> receivers;
  for (std::uint32_t thread = 0; thread < kThreads; ++thread) {
    receivers.emplace_back([&] {
      for (std::uint32_t sequence = 0; sequence < kMessages; ++sequence) {
        while (departed.load() <= sequence) std::this_thread::yield();
        if (flight.Arrive(sequence)) last.fetch_add(1);
      }
    });
  }
  for (std::uint32_t sequence = 0; sequence < kMessages; ++sequence) {
    while (!flight.HasRoom()) std::this_thread::yield();
    flight.Depart(kThreads);
    departed.store(sequence + 1);
  }
  for (std::thread& receiver : receivers) receiver.join();
  CHECK(last.load() == kMessages);
  CHECK(flight.HasRoom());
}

}  // namespace
}  // namespace samples
