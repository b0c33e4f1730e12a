// Packets in a row.
#include "chat/batch.h"

#include <new>

#include "chat/answers.h"
#include "chat/protocol.h"

namespace samples::chat {

void Batch::Add(netcore::SessionId speaker, std::string_view name, std::string_view text) {
  speakers_.push_back(speaker);  // one too many does no harm
  begins_.push_back(bytes_.size());
  try {
    AppendSaid(bytes_, name, text);
  } catch (const std::bad_alloc&) {
    begins_.pop_back();
    throw;
  }
}

std::string_view Batch::Packet(std::size_t index) const noexcept {
  const std::size_t begin = begins_[index];
  const std::size_t end = index + 1 < begins_.size() ? begins_[index + 1] : bytes_.size();
  return std::string_view(bytes_).substr(begin, end - begin);
}

netcore::SendBufferRef Batch::Packets() const { return netcore::SendBuffer::Copy(BytesOf(bytes_)); }

void Batch::Clear() noexcept {
  bytes_.clear();
  begins_.clear();
  speakers_.clear();
}

}  // namespace samples::chat
