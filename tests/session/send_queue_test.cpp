// SendQueue against a plain string of what waits.
#include "netcore/session/send_queue.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/counting_new.h"

namespace netcore {
namespace {

using Bytes = std::vector<std::byte>;

SendBufferRef BufferOf(std::size_t size, std::byte value = std::byte{1}) {
  return SendBuffer::Copy(Bytes(size, value));
}

Bytes Join(std::span<const SendSlice> slices) {
  Bytes bytes;
  for (const SendSlice slice : slices) bytes.insert(bytes.end(), slice.begin(), slice.end());
  return bytes;
}

Bytes GatherAll(const SendQueue& queue, std::size_t max_slices = CompletionPort::kMaxSendSlices) {
  std::vector<SendSlice> slices(max_slices);
  return Join(std::span(slices).first(queue.Gather(slices)));
}

TEST_CASE("an empty send queue gathers nothing", "[send_queue]") {
  SendQueue queue;
  std::array<SendSlice, 4> slices;
  CHECK(queue.Empty());
  CHECK(queue.ItemCount() == 0);
  CHECK(queue.Gather(slices) == 0);
  queue.Push(BufferOf(1));
  CHECK(queue.Gather({}) == 0);
}

TEST_CASE("empty buffers are not queued", "[send_queue]") {
  SendQueue queue;
  queue.Push(SendBufferRef());
  queue.Push(BufferOf(0));
  CHECK(queue.Empty());
}

TEST_CASE("a gather takes as many items as it has slices for", "[send_queue]") {
  SendQueue queue;
  for (std::uint8_t i = 0; i < 5; ++i) queue.Push(BufferOf(2, std::byte{i}));
  CHECK(queue.ItemCount() == 5);
  CHECK(GatherAll(queue, 2) == Bytes{std::byte{0}, std::byte{0}, std::byte{1}, std::byte{1}});
  CHECK(GatherAll(queue).size() == 10);
}

TEST_CASE("a gather is cut at what one send carries", "[send_queue]") {
  SendQueue queue;
  SendBufferPool pool;
  constexpr std::size_t kMax = CompletionPort::kMaxSendBytes;
  queue.Push(BufferOf(kMax - 10));
  queue.Push(BufferOf(2 * kMax));
  std::array<SendSlice, 4> slices;
  REQUIRE(queue.Gather(slices) == 2);
  CHECK(slices[1].size() == 10);
  queue.Consume(kMax, pool);
  REQUIRE(queue.Gather(slices) == 1);
  CHECK(slices[0].size() == kMax);
  queue.Consume(kMax, pool);
  REQUIRE(queue.Gather(slices) == 1);
  CHECK(slices[0].size() == kMax - 10);
}

TEST_CASE("a buffer goes to the pool when its last byte is sent, and not before", "[send_queue]") {
  SendQueue queue;
  SendBufferPool pool;
  queue.Push(BufferOf(64));
  queue.Push(BufferOf(128));
  queue.Consume(63, pool);
  CHECK(pool.SpareBytes() == 0);
  CHECK(queue.ItemCount() == 2);
  queue.Consume(1, pool);
  CHECK(pool.SpareBytes() == 64);
  CHECK(queue.ItemCount() == 1);
  queue.Consume(128, pool);
  CHECK(pool.SpareBytes() == 192);
  CHECK(queue.Empty());
}

TEST_CASE("gathered slices hold while more is pushed", "[send_queue]") {
  SendQueue queue;
  for (std::uint8_t i = 0; i < 8; ++i) queue.Push(BufferOf(100, std::byte{i}));
  std::array<SendSlice, 8> slices;
  REQUIRE(queue.Gather(slices) == 8);
  const Bytes before = Join(slices);
  for (int i = 0; i < 1000; ++i) queue.Push(BufferOf(100, std::byte{0xff}));
  CHECK(Join(slices) == before);
}

TEST_CASE("a cleared send queue is empty and usable", "[send_queue]") {
  SendQueue queue;
  SendBufferPool pool;
  queue.Push(BufferOf(10));
  queue.Push(BufferOf(10));
  queue.Consume(5, pool);
  queue.Clear();
  CHECK(queue.Empty());
  queue.Push(BufferOf(3, std::byte{9}));
  CHECK(GatherAll(queue) == Bytes(3, std::byte{9}));
}

TEST_CASE("a queue that never empties does not grow", "[send_queue]") {
  SendQueue queue;
  SendBufferPool pool;
  for (int i = 0; i < 10; ++i) queue.Push(pool.Copy(Bytes(10)));
  test::largest_allocation = 0;
  for (int i = 0; i < 100'000; ++i) {
    queue.Push(pool.Copy(Bytes(10)));
    queue.Consume(10, pool);
  }
  CHECK(queue.ItemCount() == 10);
  CHECK(test::largest_allocation < 1000);
}

TEST_CASE("a queue that empties again and again allocates nothing once warm", "[send_queue]") {
  SendQueue queue;
  SendBufferPool pool;
  const Bytes bytes(10);
  const auto round = [&] {
    for (std::size_t i = 0; i < CompletionPort::kMaxSendSlices; ++i) queue.Push(pool.Copy(bytes));
    queue.Consume(CompletionPort::kMaxSendSlices * bytes.size(), pool);
  };
  round();
  const std::size_t before = test::allocation_count;
  REQUIRE(before > 0);
  for (int i = 0; i < 100; ++i) round();
  const std::size_t allocated = test::allocation_count - before;
  CHECK(allocated == 0);
}

TEST_CASE("random pushes, gathers and partial sends lose, repeat and swap nothing",
          "[send_queue]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  SendBufferPool pool;
  SendQueue queue;
  Bytes model;           // all that was ever pushed
  std::size_t sent = 0;  // of it
  std::uint8_t next = 0;
  for (int step = 0; step < 20'000; ++step) {
    // Phases in which the queue grows, never quite empties, and drains.
    const unsigned pushes_of_8 = 2 + 2 * (static_cast<unsigned>(step) / 1000 % 3);
    if (random() % 8 < pushes_of_8) {
      Bytes bytes(random() % 50 == 0 ? random() % 100'000 : random() % 40);
      for (std::byte& byte : bytes) byte = std::byte{next++};
      queue.Push(random() % 2 == 0 ? pool.Copy(bytes) : SendBuffer::Copy(bytes));
      model.insert(model.end(), bytes.begin(), bytes.end());
    } else {
      const Bytes gathered = GatherAll(queue, 1 + random() % CompletionPort::kMaxSendSlices);
      REQUIRE(gathered.size() <= CompletionPort::kMaxSendBytes);
      REQUIRE(gathered.size() <= model.size() - sent);
      REQUIRE(std::equal(gathered.begin(), gathered.end(),
                         model.begin() + static_cast<std::ptrdiff_t>(sent)));
      const std::size_t left =
          random() % 3 == 0 ? random() % (gathered.size() + 1) : gathered.size();
      queue.Consume(left, pool);
      sent += left;
      REQUIRE(queue.Empty() == (sent == model.size()));
    }
  }
  while (!queue.Empty()) {
    const Bytes gathered = GatherAll(queue);
    REQUIRE_FALSE(gathered.empty());
    REQUIRE(std::equal(gathered.begin(), gathered.end(),
                       model.begin() + static_cast<std::ptrdiff_t>(sent)));
    queue.Consume(gathered.size(), pool);
    sent += gathered.size();
  }
  CHECK(sent == model.size());
}

}  // namespace
}  // namespace netcore
