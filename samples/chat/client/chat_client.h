// ChatClient: between a face and a chat server: what was typed becomes requests, what comes becomes
// messages, and a connection that breaks is made anew.
#pragma once

#include <netcore/netcore.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/client/back_off.h"
#include "chat/client/command.h"
#include "chat/client/face.h"
#include "chat/client/gate.h"
#include "chat/client/server_link.h"

namespace samples::chat {

struct ChatClientOptions {
  netcore::Endpoint server;
  std::string name;                // to ask for; the server's choice if empty
  std::string room{kLobby};        // to ask for
  std::function<void()> on_end{};  // on some thread, once: Stop may come
};

/// How it came to an end that nobody asked for.
struct ChatClientTrouble {
  bool is_output_lost = false;  // otherwise the connection was
  netcore::CloseInfo info{};
};

///     connecting --> talking --the end of the input--> finishing --> ended
///
/// From connecting and talking a connection that is refused or breaks leads back to connecting, if
/// the face is patient and one has stood before, and otherwise to the end.
///
/// Finishing, all that was asked is answered before the server closes: the client half-closes
/// behind a ping whose answer it wants to see.
///
/// Owns: its jobs and its connections. Lifetime: `face` and what it was made with outlive it; its
/// destructor is a Stop. Threads: one reads what is typed (WaitForTurn, Take, TakeEnd), any other
/// calls the rest.
class ChatClient final : private Face::Listener, private ServerLink::Owner {
 public:
  ChatClient(const std::shared_ptr<netcore::IocpCore>& core,
             const std::shared_ptr<netcore::Executor>& executor, Face& face,
             ChatClientOptions options);
  ChatClient(const ChatClient&) = delete;
  ChatClient& operator=(const ChatClient&) = delete;
  ~ChatClient();

  void Start();

  /// Waits until it is connected for the first time, and then until what was taken is on its way.
  /// False when nothing more is wanted.
  bool WaitForTurn() { return gate_.WaitOpen(); }
  void Take(std::string bytes);
  void TakeEnd();

  /// Gives up the connection, what is queued leaves first, and waits for its end. The face is not
  /// used any more.
  void Stop();

  /// After Stop.
  const std::optional<ChatClientTrouble>& Trouble() const noexcept { return trouble_; }

 private:
  bool OnLine(std::string_view line) override;
  void OnInputEnd() override;

  void OnLinkUp() override;
  void OnPackets(const std::vector<Packet>& packets) override;
  void OnLinkSent() override { OpenGate(); }
  void OnLinkDown(const netcore::CloseInfo& info) override;

  void Connect();
  void Restore();
  void KeepAlive();
  bool Execute(const Command& command);
  void Help();
  void Send(PacketType type, std::string_view payload);
  void TakePacket(const Packet& packet);
  void TryAgain(const netcore::CloseInfo& info);
  void Tell(MessageKind kind, std::string_view text);
  void OpenGate();
  void Flush();
  void End(std::optional<ChatClientTrouble> trouble = std::nullopt);

  Face& face_;
  const ChatClientOptions options_;
  netcore::Connector connector_;
  const netcore::JobQueueRef jobs_;
  Gate gate_;

  // What only jobs touch.
  std::shared_ptr<ServerLink> link_;  // while it is connecting or stands
  bool is_up_ = false;
  bool was_up_ = false;  // at least once
  bool is_finishing_ = false;
  bool is_answered_ = false;  // the ping of the end
  bool has_ended_ = false;
  std::string name_;  // to ask for after the next connect
  std::string room_;
  BackOff back_off_;
  std::optional<ChatClientTrouble> trouble_;
};

}  // namespace samples::chat
