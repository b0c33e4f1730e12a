// StreamSession: a session of a simulated scenario. It sends a stream that says at every byte where
// it belongs, checks the one that it receives, and checks that its hooks come as they should.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "netcore/sim/simulate.h"

namespace netcore::test {

using std::chrono::milliseconds;

class StreamSession;
using StreamRef = std::shared_ptr<StreamSession>;

/// What all sessions of one scenario share. Lifetime: theirs; the world's is longer.
struct Stage : std::enable_shared_from_this<Stage> {
  explicit Stage(SimWorld& its_world) : world(its_world) {}

  SimWorld& world;
  std::vector<StreamRef> sessions{};  // that have begun and not ended
  std::uint32_t made = 0;
  std::size_t ended = 0;
  std::size_t clients_ended = 0;
  std::array<std::size_t, kCloseReasonCount> reasons{};

  /// One in so many hooks does something at random first; 0: none.
  std::uint32_t mischief = 0;
  std::uint32_t throws = 0;  // one in so many of these throws
  std::function<void(StreamSession&)> act{};
};
using StageRef = std::shared_ptr<Stage>;

/// What a scenario lets its sessions do.
struct Role {
  bool has_stream = true;  // false for who only sends back what came
  std::function<void(StreamSession&)> begin{};
  std::function<void(StreamSession&, std::span<std::byte>)> receive{};
  std::function<void(StreamSession&)> sent{};
  std::function<void(StreamSession&)> peer_closed{};
  std::function<void(StreamSession&, const CloseInfo&)> end{};
};

/// A stream: 4 bytes that are its key, then bytes that follow from the key and their place. Who
/// echoes sends back what came, so that the stream returns to the one who knows its key.
class StreamSession final : public Session {
 public:
  StreamSession(StageRef stage, const Role& role, bool is_server);
  ~StreamSession() override;

  using Session::Keep;

  /// The next `size` bytes of its stream. Counted if they were taken.
  SendResult SendNext(std::size_t size);

  std::uint64_t Sent() const noexcept { return sent_; }
  std::uint64_t Received() const noexcept { return received_; }
  bool IsServer() const noexcept { return is_server_; }
  bool WasConnected() const noexcept { return connected_; }
  bool Ended() const noexcept { return ended_; }
  std::uint32_t Key() const noexcept { return key_; }
  const CloseInfo& Info() const noexcept { return info_; }
  bool HasStream() const noexcept { return role_.has_stream; }
  TimePoint LastReceived() const noexcept { return last_received_; }
  TimePoint LastSent() const noexcept { return last_sent_; }
  Stage& GetStage() noexcept { return *stage_; }
  StreamRef Self();

  /// For whoever stands on a scenario.
  int counter = 0;

 private:
  class Scope;

  void OnConnected() override;
  void OnRecv(std::span<std::byte> bytes) override;
  void OnSend(std::size_t bytes) override;
  void OnPeerClosed() override;
  void OnDisconnected(const CloseInfo& info) override;

  void Verify(std::span<const std::byte> bytes);
  void Mischief();
  static std::byte ByteAt(std::uint32_t key, std::uint64_t place) noexcept;

  const StageRef stage_;
  const Role role_;
  const bool is_server_;
  const std::uint32_t key_;
  std::uint32_t peer_key_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t told_sent_ = 0;
  bool inside_ = false;
  bool connected_ = false;
  bool peer_closed_ = false;
  bool ended_ = false;
  TimePoint last_received_{};
  TimePoint last_sent_{};
  CloseInfo info_;
};

}  // namespace netcore::test
