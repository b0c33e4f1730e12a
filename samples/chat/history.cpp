// A ring of packets under another type.
#include "chat/history.h"

#include <algorithm>
#include <cstdint>
#include <new>

#include "chat/protocol.h"

namespace samples::chat {

void History::Add(const Batch& said) noexcept {
  const std::size_t count = said.Count();
  try {
    for (std::size_t index = count - std::min(count, limit_); index < count; ++index) {
      Add(said.Packet(index));
    }
  } catch (const std::bad_alloc&) {
    packets_.clear();
    oldest_ = 0;
  }
  joined_ = {};
}

// In a full ring the new one takes the oldest one's place and, mostly, its memory.
void History::Add(std::string_view packet) {
  if (packets_.size() < limit_) {
    packets_.emplace_back(packet).front() = static_cast<char>(PacketType::kEarlier);
  } else {
    packets_[oldest_].assign(packet).front() = static_cast<char>(PacketType::kEarlier);
    oldest_ = (oldest_ + 1) % limit_;
  }
}

netcore::SendBufferRef History::Packets() {
  if (joined_ || packets_.empty()) return joined_;
  std::string all;
  for (std::size_t index = 0; index < packets_.size(); ++index) {
    all += packets_[(oldest_ + index) % packets_.size()];
  }
  joined_ = netcore::SendBuffer::Copy(BytesOf(all));
  return joined_;
}

}  // namespace samples::chat
