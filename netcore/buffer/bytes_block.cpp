#include "netcore/buffer/bytes_block.h"

#include <cstdint>
#include <new>

namespace netcore {

BytesBlock& BytesBlock::Allocate(std::size_t capacity, BytesReturns* home) {
  if (capacity > SIZE_MAX - sizeof(BytesBlock)) throw std::bad_alloc();
  void* const memory = ::operator new(sizeof(BytesBlock) + capacity);
  return *::new (memory) BytesBlock(capacity, home);
}

void BytesBlock::Free(BytesBlock& block) noexcept {
  block.~BytesBlock();
  ::operator delete(static_cast<void*>(&block));
}

}  // namespace netcore
