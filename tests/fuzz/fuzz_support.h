// What the fuzz targets share: reading a fuzzer's bytes as decisions, and ending the run when a
// promise is broken. Knows nothing of what is fuzzed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

namespace netcore::fuzz {

/// Prints "FILE:LINE: broken: TEXT" and aborts, which the fuzzer reports with the input.
[[noreturn]] inline void Broken(const char* text, const char* file, int line) noexcept {
  static_cast<void>(std::fprintf(stderr, "%s:%d: broken: %s\n", file, line, text));
  std::abort();
}

#define FUZZ_REQUIRE(condition) \
  ((condition) ? static_cast<void>(0) : ::netcore::fuzz::Broken(#condition, __FILE__, __LINE__))

/// An input read from front to back. One that has ended reads as zeros.
class Decisions {
 public:
  explicit Decisions(std::span<const std::uint8_t> input) noexcept : left_(input) {}

  bool Empty() const noexcept { return left_.empty(); }

  std::uint8_t Byte() noexcept {
    if (left_.empty()) return 0;
    const std::uint8_t byte = left_.front();
    left_ = left_.subspan(1);
    return byte;
  }

  /// 0 to `count` - 1, from one byte.
  std::size_t Below(std::size_t count) noexcept { return Byte() % count; }

  std::size_t Number16() noexcept {
    const std::size_t high = Byte();
    return high << 8 | Byte();
  }

 private:
  std::span<const std::uint8_t> left_;
};

}  // namespace netcore::fuzz

/// What the fuzzer calls with every input it makes up. Returns 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
