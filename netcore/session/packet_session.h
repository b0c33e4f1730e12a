// PacketSession: a session whose peer speaks in packets. Subclass it, override OnPacket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "netcore/session/packet_format.h"
#include "netcore/session/packet_reader.h"
#include "netcore/session/packet_view.h"
#include "netcore/session/session.h"

namespace netcore {

///     class Player : public netcore::PacketSession {
///      public:
///       Player() : PacketSession(netcore::PacketFormat::SizeAndId()) {}
///
///      private:
///       void OnPacket(const netcore::PacketView& packet) override {
///         SendPacket(packet.type, packet.payload);
///       }
///     };
///
/// All that a Session is, with OnPacket in the place of OnRecv. Beside what ends a Session:
/// - A bad length ends it with kBadLength once the packets before it were delivered; what is queued
///   leaves first, and nothing that follows is read or kept.
/// - A peer that closes inside a packet ends it with kTruncated, also with PeerClose::kKeepOpen;
/// the
///   part is not delivered.
/// - SessionOptions::first_packet_timeout and frame_timeout end it with kFirstPacketTimeout and
///   kFrameTimeout, gracefully.
///
/// Owns: the part of a packet that was received, and what a pause holds back; while there is
/// neither, no memory beside itself.
class PacketSession : public Session {
 public:
  /// Throws std::invalid_argument, with the text of PacketFormat::Validate, if the format means
  /// nothing; a Service logs that and closes the connection.
  explicit PacketSession(const PacketFormat& format);

  const PacketFormat& Format() const noexcept { return reader_.Format(); }

  /// As Send, of one buffer that holds a header and a copy of `payload`. A packet that the format
  /// can't say (PacketFormat::CanSay) is answered with kBadPacket, in whatever state the session
  /// is. For many sessions make one MakePacket and pass that to Send of each.
  SendResult SendPacket(std::uint32_t type, std::span<const std::byte> payload) noexcept;

  /// The same of type 0, which is all there is without a field for it.
  SendResult SendPacket(std::span<const std::byte> payload) noexcept;

 protected:
  /// One whole packet. It lies in what was received, or, if it came in pieces, in the copy that
  /// joined them. After Disconnect none follows. After PauseRecv none follows until ResumeRecv:
  /// what has arrived already (64 KiB at most) is kept, and delivered first, on the session's
  /// thread, never from inside ResumeRecv.
  virtual void OnPacket(const PacketView& packet);

 private:
  friend class Connection;

  void OnRecv(std::span<std::byte> bytes) final;

  // For Connection.
  bool IsHolding() const noexcept { return reader_.IsHolding(); }
  void DeliverHeld();
  void DropReceived() noexcept { reader_.Clear(); }

  void Deliver(Connection& connection, std::span<std::byte> bytes);

  PacketReader reader_;
};

}  // namespace netcore
