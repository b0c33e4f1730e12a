// ServerLink: one connection to a chat server, told to its owner in jobs of a queue. Knows types
// and payloads; what they mean is the owner's affair.
#pragma once

#include <netcore/netcore.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "chat/protocol.h"

namespace samples::chat {

struct Packet {
  PacketType type;
  std::string payload;
};

/// What came while the owner was busy is told at once, so that it draws once. An owner that is
/// slower than the server slows the server down: the link is not read from while much waits.
///
/// Owns: what has come and was not told yet, of bounded size. Lifetime: a session's; the owner and
/// the queue's jobs outlive it. Threads: hooks the worker's, the owner is called in jobs.
class ServerLink final : public netcore::PacketSession {
 public:
  class Owner {
   public:
    virtual void OnLinkUp() = 0;
    virtual void OnPackets(const std::vector<Packet>& packets) = 0;

    /// Something has left the link's own queue.
    virtual void OnLinkSent() = 0;

    /// Once, and last; alone if it never stood.
    virtual void OnLinkDown(const netcore::CloseInfo& info) = 0;

   protected:
    ~Owner() = default;
  };

  ServerLink(Owner& owner, netcore::JobQueueRef jobs)
      : PacketSession(AnswerFormat()), owner_(owner), jobs_(std::move(jobs)) {}

 private:
  static constexpr std::size_t kMostWaiting = 256 * 1024;

  void OnConnected() override;
  void OnPacket(const netcore::PacketView& packet) override;
  void OnSend(std::size_t bytes) override;
  void OnDisconnected(const netcore::CloseInfo& info) override;

  void Tell();
  std::shared_ptr<ServerLink> Self();

  Owner& owner_;
  const netcore::JobQueueRef jobs_;

  std::mutex mutex_;  // all below; a leaf
  std::vector<Packet> packets_;
  std::size_t bytes_ = 0;  // of packets_
  bool paused_ = false;
};

}  // namespace samples::chat
