// History: the last messages of a room, for those who come later.
#pragma once

#include <cstddef>
#include <vector>

#include "netcore/buffer/send_buffer.h"

namespace samples::chat {

/// Owns: a share in each of the last `limit` messages, in the buffers that they were sent in.
/// Threads: one; its room's.
class History {
 public:
  explicit History(std::size_t limit) noexcept : limit_(limit) {}

  /// One whole packet of kChat. Throws std::bad_alloc; nothing is added then.
  void Add(netcore::SendBufferRef said);

  /// All of them as packets of kEarlier, the oldest first, in one buffer that those who come before
  /// the next message share; null if there are none. Throws std::bad_alloc.
  netcore::SendBufferRef Packets();

 private:
  const std::size_t limit_;
  std::vector<netcore::SendBufferRef> said_;  // a ring once it is full
  std::size_t oldest_ = 0;
  netcore::SendBufferRef packets_;
};

}  // namespace samples::chat
