// History: the last messages of a room, for those who come later.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "chat/batch.h"
#include "netcore/buffer/send_buffer.h"

namespace samples::chat {

/// Owns: a copy of each of the last `limit` messages. Threads: one; its room's.
class History {
 public:
  explicit History(std::size_t limit) noexcept : limit_(limit) {}

  /// What was said last. Where memory is short everything is forgotten: better none than some with
  /// a hole.
  void Add(const Batch& said) noexcept;

  /// All of them as packets of kEarlier, the oldest first, in one buffer that those who come before
  /// the next message share; null if there are none. Throws std::bad_alloc.
  netcore::SendBufferRef Packets();

 private:
  void Add(std::string_view packet);

  const std::size_t limit_;
  std::vector<std::string> packets_;  // of kEarlier; a ring once it is full
  std::size_t oldest_ = 0;
  netcore::SendBufferRef joined_;
};

}  // namespace samples::chat
