// A ring of shared buffers, and their copies under another type.
#include "chat/history.h"

#include <cstring>
#include <span>
#include <utility>

#include "chat/protocol.h"

namespace samples::chat {

void History::Add(netcore::SendBufferRef said) {
  if (limit_ == 0) return;
  if (said_.size() < limit_) {
    said_.push_back(std::move(said));
  } else {
    said_[oldest_] = std::move(said);
    oldest_ = (oldest_ + 1) % limit_;
  }
  packets_ = {};
}

netcore::SendBufferRef History::Packets() {
  if (packets_ || said_.empty()) return packets_;
  std::size_t size = 0;
  for (const netcore::SendBufferRef& said : said_) size += said->Size();
  netcore::SendBufferRef packets = netcore::SendBuffer::Create(size);
  std::span<std::byte> room = packets->Writable();
  for (std::size_t index = 0; index < said_.size(); ++index) {
    const netcore::SendBuffer& said = *said_[(oldest_ + index) % said_.size()];
    std::memcpy(room.data(), said.Bytes().data(), said.Size());
    room.front() = std::byte{static_cast<std::uint8_t>(PacketType::kEarlier)};
    room = room.subspan(said.Size());
  }
  packets_ = packets;
  return packets;
}

}  // namespace samples::chat
