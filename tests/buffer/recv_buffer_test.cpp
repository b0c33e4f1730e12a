#include "netcore/buffer/recv_buffer.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/bytes.h"
#include "tests/support/catch.h"

namespace netcore {
namespace {

std::string TextOf(RecvBuffer& buffer) { return test::AsText(buffer.Bytes()); }

TEST_CASE("a receive buffer joins what is added and holds no memory before and after",
          "[buffer][recv_buffer]") {
  RecvBuffer buffer;
  CHECK(buffer.Empty());
  CHECK(buffer.Capacity() == 0);
  buffer.Append(test::AsBytes("split "), 100);
  buffer.Append(test::AsBytes("packet"), 100);
  CHECK(TextOf(buffer) == "split packet");
  CHECK(buffer.Size() == 12);
  buffer.Consume(6);
  CHECK(TextOf(buffer) == "packet");
  buffer.Consume(6);
  CHECK(buffer.Empty());
  CHECK(buffer.Capacity() == 0);
}

TEST_CASE("a receive buffer grows with what has arrived, not with what was announced",
          "[buffer][recv_buffer]") {
  constexpr std::size_t kWhole = 1024 * 1024;
  RecvBuffer buffer;
  const std::vector<std::byte> piece(1'000, std::byte{1});
  std::size_t grown = 0;
  while (buffer.Size() < kWhole) {
    const std::size_t before = buffer.Capacity();
    buffer.Append(std::span(piece).first(std::min(piece.size(), kWhole - buffer.Size())), kWhole);
    CHECK(buffer.Capacity() <= std::max<std::size_t>(64, 2 * buffer.Size()));
    grown += buffer.Capacity() != before ? 1 : 0;
  }
  CHECK(buffer.Capacity() == kWhole);
  CHECK(grown < 13);  // each of them copies all: few they must be
}

TEST_CASE("a receive buffer that drips full is not moved for every byte", "[buffer][recv_buffer]") {
  RecvBuffer buffer;
  std::size_t grown = 0;
  for (int count = 0; count < 4'096; ++count) {
    const std::size_t before = buffer.Capacity();
    buffer.Append(test::AsBytes("x"), 4'096);
    grown += buffer.Capacity() != before ? 1 : 0;
  }
  CHECK(grown <= 7);  // 64, 128, ... 4096
}

TEST_CASE("a receive buffer gives back what was consumed when it is trimmed, or grows",
          "[buffer][recv_buffer]") {
  RecvBuffer buffer;
  buffer.Append(std::vector<std::byte>(60'000, std::byte{1}), 60'003);
  buffer.Append(test::AsBytes("end"), 60'003);
  buffer.Consume(60'000);
  SECTION("trimmed") {
    buffer.Trim();
    CHECK(TextOf(buffer) == "end");
    CHECK(buffer.Capacity() == 3);
  }
  SECTION("grown") {
    buffer.Append(test::AsBytes("ing"), 10);
    CHECK(TextOf(buffer) == "ending");
    CHECK(buffer.Capacity() <= 64);
  }
}

TEST_CASE("a receive buffer that is cleared holds nothing", "[buffer][recv_buffer]") {
  RecvBuffer buffer;
  buffer.Append(test::AsBytes("some"), 4);
  buffer.Consume(1);
  buffer.Clear();
  CHECK(buffer.Empty());
  CHECK(buffer.Capacity() == 0);
  buffer.Append(test::AsBytes("again"), 5);
  CHECK(TextOf(buffer) == "again");
}

}  // namespace
}  // namespace netcore
