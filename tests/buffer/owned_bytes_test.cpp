// OwnedBytes, and the pool that its memory goes back to from any thread.
#include "netcore/buffer/owned_bytes.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "netcore/base/task.h"
#include "netcore/buffer/owned_bytes_pool.h"
#include "tests/support/bytes.h"
#include "tests/support/catch.h"
#include "tests/support/counting_new.h"

namespace netcore {
namespace {

bool Holds(const OwnedBytes& owned, std::string_view text) {
  return std::ranges::equal(owned.Bytes(), test::AsBytes(text));
}

TEST_CASE("owned bytes are a copy, and may be written to", "[buffer][owned_bytes]") {
  std::vector<std::byte> source(1000, std::byte{7});
  OwnedBytes owned = OwnedBytes::Copy(source);
  source.assign(source.size(), std::byte{0});
  CHECK(owned.Size() == 1000);
  CHECK(std::ranges::count(owned.Bytes(), std::byte{7}) == 1000);
  owned.Bytes()[0] = std::byte{9};
  CHECK(std::as_const(owned).Bytes()[0] == std::byte{9});
}

TEST_CASE("owned bytes move and are gone where they were", "[buffer][owned_bytes]") {
  OwnedBytes first = OwnedBytes::Copy(test::AsBytes("first"));
  OwnedBytes second = std::move(first);
  CHECK_FALSE(first);  // NOLINT: what a move leaves is part of the contract
  CHECK(first.Size() == 0);
  CHECK(first.Bytes().empty());
  first = OwnedBytes::Copy(test::AsBytes("another"));
  second = std::move(first);
  CHECK(Holds(second, "another"));
  second = std::move(*&second);
  CHECK(Holds(second, "another"));
  const OwnedBytes none = OwnedBytes::Copy({});
  CHECK(none);
  CHECK(none.Bytes().empty());
}

TEST_CASE("a task keeps owned bytes, a shared pointer and two numbers inside",
          "[buffer][owned_bytes]") {
  OwnedBytesPool pool;
  std::size_t total = 0;
  const auto session = std::make_shared<int>(0);
  const auto round = [&] {
    Task task([session, bytes = pool.Copy(test::AsBytes("packet")), number = std::uint64_t{1},
               &total] { total += bytes.Size() + number; });
    task();
  };
  round();
  const std::size_t before = test::allocation_count;
  for (int i = 0; i < 100; ++i) round();
  const std::size_t allocated = test::allocation_count - before;
  CHECK(allocated == 0);
  CHECK(total == 101 * 7);
}

TEST_CASE("a copy larger than memory is refused", "[buffer][owned_bytes]") {
  const std::byte byte{};
  const std::size_t too_much = std::numeric_limits<std::size_t>::max() - 8;
  CHECK_THROWS_AS(OwnedBytes::Copy(std::span(&byte, too_much)), std::bad_alloc);
}

TEST_CASE("a bytes pool hands the same memory out again for what fits", "[buffer][owned_bytes]") {
  OwnedBytesPool pool;
  const std::byte* memory = nullptr;
  {
    const OwnedBytes owned = pool.Copy(test::AsBytes("first"));
    memory = owned.Bytes().data();
  }
  const OwnedBytes again = pool.Copy(test::AsBytes("another text"));
  CHECK(again.Bytes().data() == memory);
  CHECK(Holds(again, "another text"));
  CHECK(pool.PooledBytes() == 64);
}

TEST_CASE("a bytes pool's copies are whole, whatever their size", "[buffer][owned_bytes]") {
  OwnedBytesPool pool;
  for (int round = 0; round < 2; ++round) {
    for (const std::size_t size : {0U, 1U, 64U, 65U, 129U, 8193U, 16384U, 16385U, 100'000U}) {
      CAPTURE(size);
      const std::vector<std::byte> bytes(size, std::byte{static_cast<std::uint8_t>(size)});
      const OwnedBytes owned = pool.Copy(bytes);
      CHECK(std::ranges::equal(owned.Bytes(), bytes));
    }
  }
  CHECK(pool.PooledBytes() == 64 + 128 + 256 + 16384);
}

TEST_CASE("what exceeds a bytes pool's bound comes from the heap and goes back there",
          "[buffer][owned_bytes]") {
  OwnedBytesPool pool;
  const std::vector<std::byte> bytes(OwnedBytesPool::kMaxPooledSize, std::byte{3});
  constexpr std::size_t kCount =
      OwnedBytesPool::kMaxPooledBytes / OwnedBytesPool::kMaxPooledSize + 10;
  {
    std::vector<OwnedBytes> out;
    for (std::size_t i = 0; i < kCount; ++i) out.push_back(pool.Copy(bytes));
    CHECK(std::ranges::all_of(
        out, [&](const OwnedBytes& owned) { return std::ranges::equal(owned.Bytes(), bytes); }));
    CHECK(pool.PooledBytes() == OwnedBytesPool::kMaxPooledBytes);
    CHECK(Holds(pool.Copy(test::AsBytes("no room for this one")), "no room for this one"));
  }
  CHECK(pool.PooledBytes() == OwnedBytesPool::kMaxPooledBytes);
}

TEST_CASE("spare blocks of one size make room for those of another", "[buffer][owned_bytes]") {
  OwnedBytesPool pool;
  {
    const std::vector<std::byte> bytes(OwnedBytesPool::kMaxPooledSize);
    std::vector<OwnedBytes> out;
    for (std::size_t i = 0; i < OwnedBytesPool::kMaxPooledBytes / bytes.size(); ++i)
      out.push_back(pool.Copy(bytes));
  }
  const OwnedBytes first = pool.Copy(test::AsBytes("a small one"));
  const OwnedBytes second = pool.Copy(test::AsBytes("another"));
  CHECK(pool.PooledBytes() ==
        OwnedBytesPool::kMaxPooledBytes - OwnedBytesPool::kMaxPooledSize + 128);
  CHECK(Holds(first, "a small one"));
}

TEST_CASE("a bytes pool allocates nothing once warm, also when other threads let go",
          "[buffer][owned_bytes]") {
  constexpr int kRounds = 2'000;
  constexpr int kBurst = 50;
  OwnedBytesPool pool;
  const std::vector<std::byte> bytes(300, std::byte{5});
  std::vector<OwnedBytes> out;
  out.reserve(kBurst);
  std::atomic<int> handed{0};  // bursts handed to the other thread
  std::atomic<int> let_go{0};  // bursts that it let go of
  std::atomic<int> wrong{0};
  std::thread other([&] {
    for (int round = 1; round <= kRounds; ++round) {
      while (handed.load(std::memory_order_acquire) < round) std::this_thread::yield();
      for (const OwnedBytes& owned : out) wrong += owned.Bytes()[299] == std::byte{5} ? 0 : 1;
      out.clear();
      let_go.store(round, std::memory_order_release);
    }
  });
  std::size_t before = 0;
  for (int round = 1; round <= kRounds; ++round) {
    for (int i = 0; i < kBurst; ++i) out.push_back(pool.Copy(bytes));
    if (round == 1) before = test::allocation_count;
    handed.store(round, std::memory_order_release);
    while (let_go.load(std::memory_order_acquire) < round) std::this_thread::yield();
  }
  const std::size_t allocated = test::allocation_count - before;
  other.join();
  CHECK(allocated == 0);
  CHECK(wrong == 0);
  CHECK(pool.PooledBytes() == kBurst * 512);
}

TEST_CASE("many threads let go of one pool's bytes at once", "[buffer][owned_bytes]") {
  constexpr std::size_t kThreads = 3;
  constexpr int kEach = 20'000;
  OwnedBytesPool pool;
  struct Basket {
    std::mutex mutex;
    std::vector<OwnedBytes> bytes;
    bool over = false;
  };
  std::array<Basket, kThreads> baskets;
  std::atomic<int> seen{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (Basket& basket : baskets) {
    threads.emplace_back([&] {
      for (bool over = false; !over;) {
        std::vector<OwnedBytes> mine;
        {
          const std::lock_guard lock(basket.mutex);
          mine.swap(basket.bytes);
          over = basket.over && mine.empty();
        }
        for (const OwnedBytes& owned : mine) {
          const auto first = owned.Bytes().front();
          wrong +=
              std::ranges::count(owned.Bytes(), first) == static_cast<std::ptrdiff_t>(owned.Size())
                  ? 0
                  : 1;
          ++seen;
        }
        std::this_thread::yield();
      }
    });
  }
  for (int i = 0; i < kEach; ++i) {
    for (std::size_t at = 0; at < kThreads; ++at) {
      const std::vector<std::byte> bytes(1 + static_cast<std::size_t>(i * 7) % 900,
                                         std::byte{static_cast<std::uint8_t>(i)});
      OwnedBytes owned = pool.Copy(bytes);
      const std::lock_guard lock(baskets[at].mutex);
      baskets[at].bytes.push_back(std::move(owned));
    }
  }
  for (Basket& basket : baskets) {
    const std::lock_guard lock(basket.mutex);
    basket.over = true;
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(seen == kThreads * kEach);
  CHECK(wrong == 0);
}

TEST_CASE("bytes outlive their pool, and are let go of while it ends", "[buffer][owned_bytes]") {
  for (int round = 0; round < 500; ++round) {
    std::optional<OwnedBytesPool> pool(std::in_place);
    std::vector<OwnedBytes> here;
    std::vector<OwnedBytes> there;
    for (int i = 0; i < 20; ++i) {
      here.push_back(pool->Copy(test::AsBytes("stays here")));
      there.push_back(pool->Copy(test::AsBytes("goes there")));
    }
    std::atomic<bool> go{false};
    std::thread other([&] {
      while (!go) std::this_thread::yield();
      there.clear();
    });
    here.resize(static_cast<std::size_t>(round % 21));
    go = true;
    pool.reset();
    for (const OwnedBytes& owned : here) REQUIRE(Holds(owned, "stays here"));
    here.clear();
    other.join();
  }
}

}  // namespace
}  // namespace netcore
