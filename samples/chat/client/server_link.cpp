// From hooks to jobs.
#include "chat/client/server_link.h"

#include <utility>

namespace samples::chat {

void ServerLink::OnConnected() {
  jobs_->Push([self = Self()] { self->owner_.OnLinkUp(); });
}

void ServerLink::OnPacket(const netcore::PacketView& packet) {
  bool is_first = false;
  bool is_too_much = false;
  {
    const std::lock_guard lock(mutex_);
    is_first = packets_.empty();
    packets_.push_back({static_cast<PacketType>(packet.type), std::string(TextOf(packet.payload))});
    bytes_ += sizeof(Packet) + packet.payload.size();
    is_too_much = bytes_ >= kMostWaiting && !paused_;
    if (is_too_much) paused_ = true;
  }
  if (is_too_much) PauseRecv();
  if (is_first) jobs_->Push([self = Self()] { self->Tell(); });
}

void ServerLink::OnSend(std::size_t) {
  jobs_->Push([self = Self()] { self->owner_.OnLinkSent(); });
}

void ServerLink::OnDisconnected(const netcore::CloseInfo& info) {
  jobs_->Push([self = Self(), info] { self->owner_.OnLinkDown(info); });
}

void ServerLink::Tell() {
  std::vector<Packet> packets;
  bool was_paused = false;
  {
    const std::lock_guard lock(mutex_);
    packets.swap(packets_);
    bytes_ = 0;
    was_paused = std::exchange(paused_, false);
  }
  owner_.OnPackets(packets);
  // On the link's own thread, and so behind the pause.
  if (was_paused) Post([self = Self()] { self->ResumeRecv(); });
}

std::shared_ptr<ServerLink> ServerLink::Self() {
  return std::static_pointer_cast<ServerLink>(shared_from_this());
}

}  // namespace samples::chat
