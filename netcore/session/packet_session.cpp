// Packets out of what a connection receives.
#include "netcore/session/packet_session.h"

#include <array>
#include <limits>
#include <stdexcept>

#include "netcore/base/assert.h"
#include "netcore/session/connection.h"

namespace netcore {

PacketSession::PacketSession(const PacketFormat& format) : reader_(format) {
  if (const Error error = format.Validate()) throw std::invalid_argument(error.Message());
  packets_ = this;
}

SendResult PacketSession::SendPacket(std::uint32_t type,
                                     std::span<const std::byte> payload) noexcept {
  const PacketFormat& format = Format();
  if (!format.CanSay(type, payload.size())) return SendResult::kBadPacket;
  Connection* const connection = Begun();
  if (connection == nullptr) return SendResult::kClosing;
  std::array<std::byte, std::numeric_limits<decltype(format.header_size)>::max()> storage;
  const std::span<std::byte> header = std::span(storage).first(format.header_size);
  format.WriteHeader(header, type, payload.size());
  return connection->Send(header, payload);
}

SendResult PacketSession::SendPacket(std::span<const std::byte> payload) noexcept {
  return SendPacket(0, payload);
}

void PacketSession::OnPacket(const PacketView&) {}

void PacketSession::OnRecv(std::span<std::byte> bytes) {
  NETCORE_ASSERT(!reader_.IsHolding());  // it comes before anything new
  Deliver(*Begun(), bytes);
}

void PacketSession::DeliverHeld() { Deliver(*Begun(), {}); }

void PacketSession::Deliver(Connection& connection, std::span<std::byte> bytes) {
  for (;;) {
    PacketView packet;
    switch (reader_.Next(bytes, packet)) {
      case PacketReader::Found::kPacket:
        break;
      case PacketReader::Found::kNothing:
        if (reader_.IsOpen()) connection.PacketBegan();
        return;
      case PacketReader::Found::kBadLength:
        reader_.Clear();
        return connection.Disconnect(CloseReason::kBadLength, Closing::kGraceful);
      case PacketReader::Found::kNoMemory:
        return connection.EndForMemory();
    }
    connection.PacketEnded();
    OnPacket(packet);
    if (!connection.IsConnected()) return reader_.Clear();
    if (!connection.IsPaused()) continue;
    if (!reader_.Hold(bytes)) connection.EndForMemory();
    return;
  }
}

}  // namespace netcore
