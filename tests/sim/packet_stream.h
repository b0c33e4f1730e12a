// PacketStream: a session of packets in a simulated scenario. It sends packets that are numbered
// and carry a sum of themselves, and checks that those it receives are, one by one and to the byte,
// the first of those that its peer has sent.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "netcore/session/packet_session.h"
#include "netcore/sim/simulate.h"

namespace netcore::test {

class PacketStream;
using PacketStreamRef = std::shared_ptr<PacketStream>;

/// What one session has sent, by its key.
struct PacketSender {
  std::uint32_t packets = 0;
  bool cuts = false;  // sent a packet in pieces, which its end may cut
  bool lies = false;  // sent what is no packet
};

/// What all sessions of one packet scenario share. Lifetime: theirs; the world's is longer.
struct PacketStage {
  PacketStage(SimWorld& its_world, const PacketFormat& its_format)
      : world(its_world), format(its_format) {}

  SimWorld& world;
  const PacketFormat format;
  std::chrono::milliseconds first_packet_timeout{0};  // of the servers
  std::chrono::milliseconds frame_timeout{0};
  std::vector<PacketStreamRef> sessions{};  // that have begun and not ended
  std::vector<PacketSender> senders{};
  std::size_t delivered = 0;

  std::function<void(PacketStream&)> begin{};  // of a client
  std::function<void(PacketStream&)> act{};    // after each packet, of either side
};
using PacketStageRef = std::shared_ptr<PacketStage>;

class PacketStream final : public PacketSession {
 public:
  PacketStream(PacketStageRef stage, bool is_server);
  ~PacketStream() override;

  /// The next packet, in one of the ways in which there is to send it.
  void SendNext();

  /// The next packet in pieces, each after a while; until the last of them SendNext does nothing.
  void SendInPieces();

  /// A part of a packet, and then nothing more ever.
  void SendPart();

  /// Bytes that are no packets.
  void SendNonsense();

  void Pause();
  void Resume();

  bool IsServer() const noexcept { return is_server_; }
  bool Ended() const noexcept { return ended_; }
  std::uint32_t Received() const noexcept { return received_; }
  PacketStage& GetStage() noexcept { return *stage_; }
  PacketStreamRef Self();

 private:
  class Scope;

  void OnConnected() override;
  void OnPacket(const PacketView& packet) override;
  void OnPeerClosed() override;
  void OnDisconnected(const CloseInfo& info) override;

  std::vector<std::byte> NextPayload();
  void SendPiece(std::shared_ptr<std::vector<std::byte>> bytes, std::size_t at);
  void Verify(const PacketView& packet);
  void CheckReason(const CloseInfo& info);
  bool PeerMay(bool PacketSender::* what) const;
  PacketSender& Sender() noexcept { return stage_->senders[key_]; }
  std::uint32_t TypeOf(std::uint32_t number) const noexcept;

  const PacketStageRef stage_;
  const bool is_server_;
  const std::uint32_t key_;
  std::uint32_t peer_key_ = 0;
  std::uint32_t received_ = 0;
  bool is_busy_ = false;  // with pieces, or for ever with a lie
  bool inside_ = false;
  bool connected_ = false;
  bool peer_closed_ = false;
  bool ended_ = false;
  bool paused_ = false;      // by itself, inside a hook: then it holds at once
  bool resuming_ = false;    // inside ResumeRecv
  TimePoint last_packet_{};  // or since when it is connected
};

}  // namespace netcore::test
