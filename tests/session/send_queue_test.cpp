// SendQueue against a plain string of what waits.
#include "netcore/session/send_queue.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <random>
#include <span>
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

// Never joined to others.
constexpr std::size_t kLarge = SendQueue::kMostJoined + 1;

TEST_CASE("an empty send queue gathers nothing", "[send_queue]") {
  SendQueue queue;
  SendBufferPool pool;
  std::array<SendSlice, 4> slices;
  CHECK(queue.Empty());
  CHECK(queue.ItemCount() == 0);
  CHECK(queue.Memory() == 0);
  CHECK(queue.Gather(slices) == 0);
  queue.Push(BufferOf(1), pool);
  CHECK(queue.Gather({}) == 0);
}

TEST_CASE("empty buffers are not queued", "[send_queue]") {
  SendQueue queue;
  SendBufferPool pool;
  queue.Push(SendBufferRef(), pool);
  queue.Push(BufferOf(0), pool);
  queue.Copy({}, {}, pool);
  CHECK(queue.Empty());
}

TEST_CASE("a gather takes as many items as it has slices for", "[send_queue]") {
  SendQueue queue;
  SendBufferPool pool;
  Bytes expected;
  for (std::uint8_t i = 0; i < 5; ++i) {
    queue.Push(BufferOf(kLarge, std::byte{i}), pool);
    expected.insert(expected.end(), kLarge, std::byte{i});
  }
  CHECK(queue.ItemCount() == 5);
  CHECK(GatherAll(queue, 2) == Bytes(expected.begin(), expected.begin() + 2 * kLarge));
  CHECK(GatherAll(queue) == expected);
}

TEST_CASE("a gather is cut at what one send carries", "[send_queue]") {
  SendQueue queue;
  SendBufferPool pool;
  constexpr std::size_t kMax = CompletionPort::kMaxSendBytes;
  queue.Push(BufferOf(kMax - 10), pool);
  queue.Push(BufferOf(2 * kMax), pool);
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
  queue.Push(BufferOf(1024), pool);
  queue.Push(BufferOf(2048), pool);
  CHECK(queue.Memory() == 3072);
  queue.Consume(1023, pool);
  CHECK(pool.SpareBytes() == 0);
  CHECK(queue.ItemCount() == 2);
  queue.Consume(1, pool);
  CHECK(pool.SpareBytes() == 1024);
  CHECK(queue.ItemCount() == 1);
  CHECK(queue.Memory() == 2048);
  queue.Consume(2048, pool);
  CHECK(pool.SpareBytes() == 3072);
  CHECK(queue.Empty());
  CHECK(queue.Memory() == 0);
}

TEST_CASE("small copies share blocks, which grow", "[send_queue]") {
  SendQueue queue;
  SendBufferPool pool;
  Bytes expected;
  for (int i = 0; i < 10'000; ++i) {
    const Bytes bytes(7, static_cast<std::byte>(i));
    queue.Copy(std::span(bytes).first(3), std::span(bytes).subspan(3), pool);
    expected.insert(expected.end(), bytes.begin(), bytes.end());
  }
  CHECK(queue.ItemCount() == 4 + (70'000 - (256 + 512 + 1024 + 2048) + 4095) / 4096);
  CHECK(queue.Memory() - expected.size() < SendQueue::kLargestBlock);
  Bytes gathered = GatherAll(queue);
  CHECK(gathered.size() == CompletionPort::kMaxSendBytes);
  queue.Consume(gathered.size(), pool);
  const Bytes rest = GatherAll(queue);
  gathered.insert(gathered.end(), rest.begin(), rest.end());
  CHECK((gathered == expected));
}

TEST_CASE("what is copied fills the room of a block whose front is with the system",
          "[send_queue]") {
  SendQueue queue;
  SendBufferPool pool;
  queue.Copy(Bytes(100, std::byte{1}), {}, pool);
  std::array<SendSlice, 4> in_flight;
  REQUIRE(queue.Gather(in_flight) == 1);
  queue.Copy(Bytes(300, std::byte{2}), {}, pool);
  CHECK(Join(std::span(in_flight).first(1)) == Bytes(100, std::byte{1}));
  CHECK(queue.ItemCount() == 2);
  queue.Consume(100, pool);
  CHECK(queue.ItemCount() == 2);
  CHECK(GatherAll(queue) == Bytes(300, std::byte{2}));
}

TEST_CASE(
    "a small shared buffer stays shared where nothing waits, and is joined where something does",
    "[send_queue]") {
  SendQueue queue;
  SendBufferPool pool;
  const SendBufferRef shared = BufferOf(SendQueue::kMostJoined, std::byte{7});
  queue.Push(shared, pool);
  queue.Push(shared, pool);
  queue.Push(shared, pool);
  std::array<SendSlice, 8> slices;
  const std::size_t count = queue.Gather(slices);
  CHECK(count == 2);
  CHECK(slices[0].data() == std::as_const(*shared).Bytes().data());
  CHECK(slices[1].data() != std::as_const(*shared).Bytes().data());
  CHECK(GatherAll(queue) == Bytes(3 * SendQueue::kMostJoined, std::byte{7}));
  // One that is larger is not copied, and nobody writes behind it.
  const SendBufferRef large = BufferOf(kLarge, std::byte{8});
  queue.Push(large, pool);
  queue.Copy(Bytes(1, std::byte{9}), {}, pool);
  CHECK(queue.ItemCount() == 4);
}

TEST_CASE("without memory for a copy nothing of it is queued", "[send_queue]") {
  SendQueue queue;
  SendBufferPool pool;
  queue.Copy(Bytes(250, std::byte{1}), {}, pool);
  const Bytes bytes(1);
  const std::span<const std::byte> endless(bytes.data(), SIZE_MAX - 8);  // is not looked at
  CHECK_THROWS_AS(queue.Copy(endless, {}, pool), std::bad_alloc);
  CHECK(GatherAll(queue) == Bytes(250, std::byte{1}));
  queue.Copy(Bytes(6, std::byte{1}), {}, pool);
  CHECK(queue.ItemCount() == 1);
}

TEST_CASE("gathered slices hold while more is pushed", "[send_queue]") {
  SendQueue queue;
  SendBufferPool pool;
  for (std::uint8_t i = 0; i < 8; ++i) queue.Push(BufferOf(kLarge, std::byte{i}), pool);
  std::array<SendSlice, 8> slices;
  REQUIRE(queue.Gather(slices) == 8);
  const Bytes before = Join(slices);
  for (int i = 0; i < 1000; ++i) queue.Push(BufferOf(100, std::byte{0xff}), pool);
  CHECK(Join(slices) == before);
}

TEST_CASE("a cleared send queue is empty and usable", "[send_queue]") {
  SendQueue queue;
  SendBufferPool pool;
  queue.Push(BufferOf(10), pool);
  queue.Push(BufferOf(10), pool);
  queue.Consume(5, pool);
  queue.Clear();
  CHECK(queue.Empty());
  CHECK(queue.Memory() == 0);
  queue.Push(BufferOf(3, std::byte{9}), pool);
  CHECK(GatherAll(queue) == Bytes(3, std::byte{9}));
}

TEST_CASE("a queue that never empties does not grow", "[send_queue]") {
  const bool joins = GENERATE(false, true);
  SendQueue queue;
  SendBufferPool pool;
  const Bytes bytes(joins ? 10 : kLarge);
  const auto push = [&] {
    if (joins) return queue.Copy(bytes, {}, pool);
    queue.Push(pool.Copy(bytes), pool);
  };
  for (int i = 0; i < 10; ++i) push();
  test::largest_allocation = 0;
  for (int i = 0; i < 100'000; ++i) {
    push();
    queue.Consume(bytes.size(), pool);
  }
  CHECK(queue.ItemCount() <= 10);
  CHECK(test::largest_allocation < 2 * SendQueue::kLargestBlock);
  CHECK(queue.Memory() <= 10 * 1024);
}

TEST_CASE("a queue that empties again and again allocates nothing once warm", "[send_queue]") {
  SendQueue queue;
  SendBufferPool pool;
  const Bytes bytes(10);
  const Bytes large(kLarge);
  const auto round = [&] {
    for (std::size_t i = 0; i < CompletionPort::kMaxSendSlices / 2; ++i) {
      queue.Push(pool.Copy(large), pool);
      queue.Copy(bytes, {}, pool);
    }
    queue.Consume(CompletionPort::kMaxSendSlices / 2 * (bytes.size() + large.size()), pool);
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
      const std::span<const std::byte> all(bytes);
      const std::size_t cut = random() % (bytes.size() + 1);
      switch (random() % 3) {
        case 0:
          queue.Copy(all.first(cut), all.subspan(cut), pool);
          break;
        case 1:
          queue.Push(pool.Copy(bytes), pool);
          break;
        default:
          queue.Push(SendBuffer::Copy(bytes), pool);
      }
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
