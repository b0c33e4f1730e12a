// PacketReader: from received bytes to whole packets. Knows a format and the bytes of one stream;
// knows no session and no time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "netcore/buffer/recv_buffer.h"
#include "netcore/session/packet_format.h"
#include "netcore/session/packet_view.h"

namespace netcore {

///     received   [ packet | packet | pac        shown where they lie; the part is copied
///     received   ket | packet | packet ]        the part is completed, and shown from the copy
///
/// Owns: the part of a packet that is open, and what was received and is held back; no memory while
/// there is neither. Lifetime: its session's. Threads: one.
class PacketReader {
 public:
  enum class Found : std::uint8_t {
    kPacket,     // more may follow
    kNothing,    // `bytes` are used up; a part of the next packet, if any, is kept
    kBadLength,  // nothing behind it means anything; it is kept nowhere
    kNoMemory,   // for what had to be kept: the stream is lost
  };

  explicit PacketReader(const PacketFormat& format) noexcept : format_(format) {}

  const PacketFormat& Format() const noexcept { return format_; }

  /// Takes the next packet, first from what was kept, then from the front of `bytes`. `packet`
  /// points into one of the two and stays until the next call of the reader.
  Found Next(std::span<std::byte>& bytes, PacketView& packet) noexcept;

  /// Keeps `bytes` to be read later, by a Next without bytes. False if there is no memory for them.
  [[nodiscard]] bool Hold(std::span<const std::byte> bytes) noexcept;

  /// True when something is held back, until Next has found nothing more in it.
  bool IsHolding() const noexcept { return holding_; }

  /// True when a packet was begun and is not whole. While nothing is held back.
  bool IsOpen() const noexcept { return !buffer_.Empty(); }

  /// Bytes of memory for what is kept, beside the reader itself.
  std::size_t Memory() const noexcept { return buffer_.Capacity(); }

  /// Forgets everything and gives back the memory.
  void Clear() noexcept;

 private:
  Found NextOf(std::span<std::byte>& bytes, PacketView& packet);
  Found NextInPlace(std::span<std::byte>& bytes, PacketView& packet);
  Found FindNothing();
  bool Complete(std::size_t whole, std::span<std::byte>& bytes);
  PacketView ViewOf(std::span<std::byte> whole) const noexcept;

  const PacketFormat format_;
  bool holding_ = false;
  RecvBuffer buffer_;
  std::size_t shown_ = 0;  // of the buffer's first bytes: the packet that was shown last
};

}  // namespace netcore
