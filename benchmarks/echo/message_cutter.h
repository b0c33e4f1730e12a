// MessageCutter: cuts a stream into messages of one size, wherever TCP cut it. The same for every
// server, so that what it costs is no difference between them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace bench {

/// Owns: the beginning of a message whose end has not arrived. Threads: one.
class MessageCutter {
 public:
  explicit MessageCutter(std::size_t message_bytes) noexcept : message_bytes_(message_bytes) {}

  /// Calls `on_message` with each message that is complete; the bytes are lent until it returns.
  template <typename OnMessage>
  void Cut(std::span<const std::byte> bytes, OnMessage&& on_message) {
    if (!begun_.empty()) {
      const std::size_t taken = std::min(bytes.size(), message_bytes_ - begun_.size());
      begun_.insert(begun_.end(), bytes.begin(),
                    bytes.begin() + static_cast<std::ptrdiff_t>(taken));
      bytes = bytes.subspan(taken);
      if (begun_.size() < message_bytes_) return;
      on_message(std::span<const std::byte>(begun_));
      begun_.clear();
    }
    for (; bytes.size() >= message_bytes_; bytes = bytes.subspan(message_bytes_)) {
      on_message(bytes.first(message_bytes_));
    }
    begun_.assign(bytes.begin(), bytes.end());
  }

 private:
  const std::size_t message_bytes_;
  std::vector<std::byte> begun_;
};

}  // namespace bench
