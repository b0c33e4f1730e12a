// SendBuffer, its references, and the pool that keeps what is done with.
#include "netcore/buffer/send_buffer.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "netcore/buffer/send_buffer_pool.h"
#include "tests/support/bytes.h"
#include "tests/support/catch.h"

namespace netcore {
namespace {

bool Holds(const SendBufferRef& buffer, std::string_view text) {
  const std::span<const std::byte> bytes = test::AsBytes(text);
  return std::ranges::equal(std::as_const(*buffer).Bytes(), bytes);
}

TEST_CASE("a buffer holds a copy of what it was made from", "[buffer]") {
  std::vector<std::byte> source(1000, std::byte{7});
  const SendBufferRef buffer = SendBuffer::Copy(source);
  source.assign(source.size(), std::byte{0});
  CHECK(buffer->Size() == 1000);
  CHECK(std::ranges::count(std::as_const(*buffer).Bytes(), std::byte{7}) == 1000);
}

TEST_CASE("a new buffer is filled in place", "[buffer]") {
  const SendBufferRef buffer = SendBuffer::Create(3);
  REQUIRE(buffer->Writable().size() == 3);
  std::ranges::copy(test::AsBytes("abc"), buffer->Writable().begin());
  CHECK(Holds(buffer, "abc"));
}

TEST_CASE("an empty buffer is a buffer", "[buffer]") {
  const SendBufferRef buffer = SendBuffer::Copy({});
  REQUIRE(buffer);
  CHECK(buffer->Size() == 0);
  CHECK(buffer->Bytes().empty());
}

TEST_CASE("a buffer larger than memory is refused", "[buffer]") {
  CHECK_THROWS_AS(SendBuffer::Create(std::numeric_limits<std::size_t>::max()), std::bad_alloc);
  CHECK_THROWS_AS(SendBuffer::Create(std::numeric_limits<std::size_t>::max() - 8), std::bad_alloc);
}

class Lender final : public SendBufferLender {
 public:
  void TakeBack(SendBuffer& buffer) noexcept override {
    ++count;
    last_bytes = buffer.Bytes().data();
  }
  int count = 0;
  const std::byte* last_bytes = nullptr;
};

TEST_CASE("a lent buffer goes back with its last reference, again and again", "[buffer]") {
  std::vector<std::byte> memory(2'000, std::byte{7});
  Lender lender;
  SendBuffer loan(lender);
  CHECK_FALSE(loan.IsShared());
  for (int turn = 1; turn <= 3; ++turn) {
    const std::span<std::byte> part =
        std::span(memory).subspan(static_cast<std::size_t>(turn), 100);
    SendBufferRef first = loan.Lend(part);
    CHECK(first->Bytes().data() == part.data());
    CHECK(first->Size() == 100);
    SendBufferRef second = first;
    first = SendBufferRef();
    CHECK(lender.count == turn - 1);
    CHECK(loan.IsShared());
    second = SendBufferRef();
    CHECK(lender.count == turn);
    CHECK(lender.last_bytes == part.data());
    CHECK_FALSE(loan.IsShared());
  }
}

TEST_CASE("a pool gives a lent buffer back to its lender", "[buffer]") {
  std::vector<std::byte> memory(64);
  Lender lender;
  SendBuffer loan(lender);
  SendBufferPool pool;
  pool.Recycle(loan.Lend(memory));
  CHECK(lender.count == 1);
  CHECK(&*pool.Create(64) != &loan);
}

TEST_CASE("references share one buffer and outlive each other", "[buffer]") {
  SendBufferRef first = SendBuffer::Copy(test::AsBytes("shared"));
  SendBufferRef second = first;
  CHECK(&*first == &*second);
  SendBufferRef third = std::move(first);
  CHECK_FALSE(first);  // NOLINT: what a move leaves is part of the contract
  second = SendBufferRef();
  CHECK(Holds(third, "shared"));
  third = *&third;
  CHECK(Holds(third, "shared"));
}

TEST_CASE("many threads share and drop one buffer", "[buffer]") {
  const SendBufferRef buffer = SendBuffer::Copy(test::AsBytes("for everybody"));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([shared = buffer, &wrong]() mutable {
      for (int round = 0; round < 20'000; ++round) {
        SendBufferRef copy = shared;
        const SendBufferRef moved = std::move(copy);
        if (!Holds(moved, "for everybody")) ++wrong;
      }
      shared = SendBufferRef();
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  SendBufferPool pool;  // takes only what nobody else holds
  pool.Recycle(buffer);
  CHECK(pool.SpareBytes() == 0);
}

TEST_CASE("a pool hands the same memory out again for what fits", "[buffer][pool]") {
  SendBufferPool pool;
  SendBufferRef buffer = pool.Copy(test::AsBytes("first"));
  const SendBuffer* const memory = &*buffer;
  CHECK(pool.SpareBytes() == 0);
  pool.Recycle(std::move(buffer));
  CHECK(pool.SpareBytes() == 64);
  const SendBufferRef again = pool.Copy(test::AsBytes("another text"));
  CHECK(&*again == memory);
  CHECK(Holds(again, "another text"));
  CHECK(pool.SpareBytes() == 0);
}

TEST_CASE("a pool's buffers are of the size that was asked for, whatever they were",
          "[buffer][pool]") {
  SendBufferPool pool;
  for (const std::size_t size : {0U, 1U, 64U, 65U, 129U, 8193U, 65536U, 65537U, 100'000U}) {
    CAPTURE(size);
    const std::vector<std::byte> bytes(size, std::byte{static_cast<std::uint8_t>(size)});
    for (int round = 0; round < 2; ++round) {
      SendBufferRef buffer = pool.Copy(bytes);
      CHECK(std::ranges::equal(std::as_const(*buffer).Bytes(), bytes));
      pool.Recycle(std::move(buffer));
    }
  }
}

TEST_CASE("a pool leaves alone what somebody else holds", "[buffer][pool]") {
  SendBufferPool pool;
  SendBufferRef buffer = pool.Copy(test::AsBytes("shared"));
  const SendBufferRef other = buffer;
  pool.Recycle(std::move(buffer));
  CHECK(pool.SpareBytes() == 0);
  CHECK(Holds(other, "shared"));
}

TEST_CASE("a pool keeps any buffer of a pooled size and no other", "[buffer][pool]") {
  SendBufferPool pool;
  pool.Recycle(SendBuffer::Create(100));
  pool.Recycle(SendBuffer::Create(32));
  pool.Recycle(SendBuffer::Create(2 * SendBufferPool::kMaxPooledSize));
  pool.Recycle(SendBufferRef());
  CHECK(pool.SpareBytes() == 0);
  pool.Recycle(SendBuffer::Create(128));
  pool.Recycle(SendBuffer::Create(SendBufferPool::kMaxPooledSize));
  CHECK(pool.SpareBytes() == 128 + SendBufferPool::kMaxPooledSize);
}

TEST_CASE("a pool keeps no more than its bound", "[buffer][pool]") {
  SendBufferPool pool;
  const std::vector<std::byte> bytes(SendBufferPool::kMaxPooledSize);
  constexpr std::size_t kCount =
      SendBufferPool::kMaxSpareBytes / SendBufferPool::kMaxPooledSize + 10;
  std::vector<SendBufferRef> buffers;
  for (std::size_t i = 0; i < kCount; ++i) buffers.push_back(pool.Copy(bytes));
  for (SendBufferRef& buffer : buffers) pool.Recycle(std::move(buffer));
  CHECK(pool.SpareBytes() == SendBufferPool::kMaxSpareBytes);
  pool.Recycle(pool.Copy(test::AsBytes("no room for this one")));
  CHECK(pool.SpareBytes() == SendBufferPool::kMaxSpareBytes);
}

}  // namespace
}  // namespace netcore
