// Batch: what was said in a room and has not been sent yet. When many speak at once, their messages
// leave together: a hundred listeners cost the same for one message as for fifty.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "netcore/buffer/send_buffer.h"
#include "netcore/session/session_id.h"

namespace samples::chat {

/// Owns: the packets, one behind the other. Keeps its memory when it is emptied. Threads: one; its
/// room's.
class Batch {
 public:
  /// About as much as is sent to a session in one go; a batch that has reached it should leave.
  static constexpr std::size_t kFullBytes = 32 * 1024;

  /// A packet of kChat. Throws std::bad_alloc; nothing is added then.
  void Add(netcore::SessionId speaker, std::string_view name, std::string_view text);

  bool Empty() const noexcept { return begins_.empty(); }
  bool IsFull() const noexcept { return bytes_.size() >= kFullBytes; }

  /// How many packets there are, and one of them.
  std::size_t Count() const noexcept { return begins_.size(); }
  std::string_view Packet(std::size_t index) const noexcept;

  /// Those who spoke, in order, each as often as he did.
  std::span<const netcore::SessionId> Speakers() const noexcept { return speakers_; }

  /// All packets in one buffer. Throws std::bad_alloc.
  netcore::SendBufferRef Packets() const;

  void Clear() noexcept;

 private:
  std::string bytes_;
  std::vector<std::size_t> begins_;  // of each packet
  std::vector<netcore::SessionId> speakers_;
};

}  // namespace samples::chat
