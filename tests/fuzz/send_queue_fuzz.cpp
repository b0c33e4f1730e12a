// SendQueue under any order of pushes, gathers and partial completions, against a plain list of
// what waits. As on a session, at most one gather is in flight, and more is pushed meanwhile.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "netcore/session/send_queue.h"
#include "tests/fuzz/fuzz_support.h"

namespace netcore {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::size_t kMaxBytes = CompletionPort::kMaxSendBytes;
constexpr std::size_t kMaxSlices = CompletionPort::kMaxSendSlices;
constexpr std::size_t kMostWaiting = 1024 * 1024;  // so that an input takes no second
constexpr std::size_t kPeriod = 251;

// Bytes that repeat at a distance which no size of ours divides.
Bytes MakePattern(std::size_t size) {
  Bytes pattern(size);
  for (std::size_t i = 0; i < size; ++i) pattern[i] = static_cast<std::byte>(i % kPeriod);
  return pattern;
}

class SendQueueRun {
 public:
  explicit SendQueueRun(fuzz::Decisions decisions) : decisions_(decisions) {}

  void Run() {
    while (!decisions_.Empty()) {
      Step();
      FUZZ_REQUIRE(queue_.Empty() == waiting_.empty());
      FUZZ_REQUIRE(queue_.Memory() >= waiting_.size());
      FUZZ_REQUIRE(pool_.SpareBytes() <= SendBufferPool::kMaxSpareBytes);
    }
    Drain();
  }

 private:
  void Step() {
    switch (decisions_.Below(8)) {
      case 0:
      case 1:
        return Push(decisions_.Below(40), true);
      case 2:
        return Push(decisions_.Number16() * 2, decisions_.Below(2) == 0);
      case 3:
        return PushShared();
      case 4:
      case 5:
        return Gather(decisions_.Below(kMaxSlices + 1));
      case 6:
        return Complete(decisions_.Number16() * 2);
      case 7:
        return decisions_.Byte() == 0xff ? Clear() : Complete(kMaxBytes);
    }
  }

  void Push(std::size_t size, bool copies) {
    const Bytes bytes = NextBytes(size);
    if (!copies) return PushRef(SendBuffer::Copy(bytes), bytes);
    if (waiting_.size() + size > kMostWaiting) return;
    const std::span<const std::byte> all(bytes);
    const std::size_t cut = decisions_.Below(size + 1);
    queue_.Copy(all.first(cut), all.subspan(cut), pool_);
    waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
  }

  Bytes NextBytes(std::size_t size) {
    static const Bytes pattern = MakePattern(kPeriod + 2 * kMaxBytes);
    const std::byte* const begin = pattern.data() + next_byte_ % kPeriod;
    next_byte_ += size;
    return Bytes(begin, begin + size);
  }

  // The same buffer again, as a broadcast does; the pool must not hand it out meanwhile.
  void PushShared() {
    if (!shared_ || decisions_.Below(4) == 0) {
      shared_bytes_ = NextBytes(decisions_.Below(200));
      shared_ = pool_.Copy(shared_bytes_);
    }
    PushRef(shared_, shared_bytes_);
    if (decisions_.Below(4) == 0) shared_ = SendBufferRef();
  }

  void PushRef(SendBufferRef buffer, const Bytes& bytes) {
    if (waiting_.size() + bytes.size() > kMostWaiting) return;
    queue_.Push(std::move(buffer), pool_);
    waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
  }

  void Gather(std::size_t slice_count) {
    if (in_flight_count_ > 0) return;
    in_flight_count_ = queue_.Gather(std::span(in_flight_).first(slice_count));
    in_flight_bytes_ = CheckGathered();
    const bool is_full = in_flight_count_ == slice_count || in_flight_bytes_ == kMaxBytes;
    FUZZ_REQUIRE(is_full || in_flight_bytes_ == waiting_.size());
  }

  // What is in flight is the front of what waits. Returns how many bytes.
  std::size_t CheckGathered() const {
    std::size_t bytes = 0;
    for (const SendSlice slice : std::span(in_flight_).first(in_flight_count_)) {
      FUZZ_REQUIRE(!slice.empty() && slice.size() <= kMaxBytes - bytes);
      FUZZ_REQUIRE(slice.size() <= waiting_.size() - bytes);
      FUZZ_REQUIRE(std::memcmp(slice.data(), waiting_.data() + bytes, slice.size()) == 0);
      bytes += slice.size();
    }
    return bytes;
  }

  void Complete(std::size_t most) {
    if (in_flight_count_ == 0) return;
    // What was queued meanwhile must not have moved the bytes that the system reads.
    FUZZ_REQUIRE(CheckGathered() == in_flight_bytes_);
    const std::size_t sent = std::min(most, in_flight_bytes_);
    queue_.Consume(sent, pool_);
    in_flight_count_ = 0;
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(sent));
  }

  void Clear() {
    queue_.Clear();
    waiting_.clear();
    in_flight_count_ = 0;
  }

  void Drain() {
    Complete(kMaxBytes);
    while (!waiting_.empty()) {
      Gather(kMaxSlices);
      FUZZ_REQUIRE(in_flight_bytes_ > 0);
      Complete(kMaxBytes);
    }
    FUZZ_REQUIRE(queue_.Empty());
  }

  fuzz::Decisions decisions_;
  SendBufferPool pool_;
  SendQueue queue_;
  Bytes waiting_;
  std::array<SendSlice, kMaxSlices> in_flight_{};
  std::size_t in_flight_count_ = 0;
  std::size_t in_flight_bytes_ = 0;
  SendBufferRef shared_;
  Bytes shared_bytes_;
  std::size_t next_byte_ = 0;
};

}  // namespace
}  // namespace netcore

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  netcore::SendQueueRun(netcore::fuzz::Decisions({data, size})).Run();
  return 0;
}
