#include "echo/raw_uring_buffers.h"

#include <sys/mman.h>

#include <cerrno>

namespace bench {

RawUringBuffers::RawUringBuffers(io_uring& ring) {
  constexpr std::size_t kEntriesSize = kCount * sizeof(io_uring_buf);
  constexpr std::size_t kSize = kEntriesSize + std::size_t{kCount} * kBytes;
  void* const memory = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  ring_ = static_cast<io_uring_buf_ring*>(memory);
  buffers_ = static_cast<std::byte*>(memory) + kEntriesSize;

  io_uring_buf_reg request{};
  request.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
  request.ring_entries = kCount;
  request.bgid = kGroup;
  CheckUring(io_uring_register_buf_ring(&ring, &request, 0), "io_uring_register_buf_ring");
  for (std::uint16_t id = 0; id < kCount; ++id) Return(id);
  Publish();
}

std::span<const std::byte> RawUringBuffers::Take(std::uint16_t id, std::size_t size) {
  --free_count_;
  return {At(id), size};
}

void RawUringBuffers::Return(std::uint16_t id) {
  auto* const entries = reinterpret_cast<io_uring_buf*>(ring_);
  io_uring_buf& entry = entries[tail_++ & (kCount - 1)];
  entry.addr = reinterpret_cast<std::uintptr_t>(At(id));
  entry.len = kBytes;
  entry.bid = id;
  ++free_count_;
}

void RawUringBuffers::Publish() { io_uring_smp_store_release(&ring_->tail, tail_); }

}  // namespace bench
