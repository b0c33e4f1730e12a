#include "netcore/port/linux/io_uring_buffers.h"

#include <sys/mman.h>

#include <bit>
#include <cerrno>
#include <functional>
#include <numeric>
#include <utility>

#include "netcore/base/assert.h"
#include "netcore/port/linux/linux_sockets.h"

namespace netcore::linux_port {
namespace {

constexpr std::size_t kPageSize = 4096;
constexpr std::size_t kLeastInUse = 8;

}  // namespace

IoUringBuffers::~IoUringBuffers() {
  if (memory_ != nullptr) ::munmap(memory_, memory_size_);
}

Error IoUringBuffers::Create(IoUringRing& ring, std::uint16_t count) {
  NETCORE_ASSERT(memory_ == nullptr && std::has_single_bit(count) && count <= 32768);
  entries_size_ = (count * sizeof(io_uring_buf) + kPageSize - 1) / kPageSize * kPageSize;
  memory_size_ = entries_size_ + std::size_t{count} * kBufferSize;
  void* memory = ::mmap(nullptr, memory_size_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return ErrorFromErrno(errno, "io_uring: receive buffers");
  memory_ = static_cast<std::byte*>(memory);
  count_ = count;

  io_uring_buf_reg request{};
  request.ring_addr = reinterpret_cast<std::uintptr_t>(memory_);
  request.ring_entries = count;
  request.bgid = kGroup;
  const int result = io_uring_register_buf_ring(ring.Get(), &request, 0);
  if (result < 0) return ErrorFromErrno(-result, "io_uring: register receive buffers");

  budget_ = BufferBudget(kLeastInUse, count);
  unused_.resize(count);
  std::iota(unused_.rbegin(), unused_.rend(), std::uint16_t{0});
  while (loans_.size() < count) loans_.emplace_back(static_cast<SendBufferLender&>(*this));
  Publish();
  return {};
}

std::byte* IoUringBuffers::At(std::uint16_t id) const noexcept {
  return memory_ + entries_size_ + std::size_t{id} * kBufferSize;
}

std::span<std::byte> IoUringBuffers::Take(std::uint16_t id, std::size_t size) noexcept {
  NETCORE_ASSERT(id < count_ && size <= kBufferSize && available_count_ > 0);
  --available_count_;
  ++taken_count_;
  in_hand_ = id;
  return {At(id), size};
}

std::uint16_t IoUringBuffers::IdOf(const std::byte* place) const noexcept {
  return static_cast<std::uint16_t>(static_cast<std::size_t>(place - At(0)) / kBufferSize);
}

void IoUringBuffers::Return(std::uint16_t id) noexcept {
  in_hand_ = kNone;
  if (lent_count_ == 0 || !loans_[id].IsShared()) Reuse(id);
}

SendBufferRef IoUringBuffers::Lend(std::span<std::byte> bytes) noexcept {
  const std::less<const std::byte*> before;
  if (before(bytes.data(), At(0)) || !before(bytes.data(), At(count_))) return {};
  SendBuffer& loan = loans_[IdOf(bytes.data())];
  if (loan.IsShared() || lent_count_ >= count_ / 2U) return {};
  ++lent_count_;
  return loan.Lend(bytes);
}

void IoUringBuffers::TakeBack(SendBuffer& buffer) noexcept {
  --lent_count_;
  const std::uint16_t id = IdOf(buffer.Bytes().data());
  if (id != in_hand_) Reuse(id);
}

void IoUringBuffers::Reuse(std::uint16_t id) noexcept {
  if (available_count_ < budget_.Wanted()) {
    Add(id);
  } else {
    unused_.push_back(id);
  }
}

void IoUringBuffers::Add(std::uint16_t id) noexcept {
  // Not io_uring_buf_ring_add, which writes behind an array that is declared with no elements. The
  // kernel's tail lies in the first entry's unused field.
  auto* const entries = reinterpret_cast<io_uring_buf*>(memory_);
  io_uring_buf& entry = entries[tail_ & (count_ - 1)];
  entry.addr = reinterpret_cast<std::uintptr_t>(At(id));
  entry.len = kBufferSize;
  entry.bid = id;
  ++tail_;
  ++available_count_;
}

void IoUringBuffers::Publish() noexcept {
  budget_.EndRound(std::exchange(taken_count_, 0));
  for (; available_count_ < budget_.Wanted() && !unused_.empty(); unused_.pop_back())
    Add(unused_.back());
  auto* const ring = reinterpret_cast<io_uring_buf_ring*>(memory_);
  io_uring_smp_store_release(&ring->tail, tail_);
}

}  // namespace netcore::linux_port
