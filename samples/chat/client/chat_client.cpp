// Everything but the gate happens in jobs of one queue, one after another.
#include "chat/client/chat_client.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "chat/client/request.h"
#include "chat/problem.h"

namespace samples::chat {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMostQueued = 256 * 1024;  // what was typed waits while more is under way
constexpr std::string_view kLastPing = "the last";
constexpr std::string_view kAlivePing = "alive?";

// Also a server that never pings is noticed when it is gone.
constexpr milliseconds kPingInterval{30'000};
constexpr milliseconds kSilence{90'000};

// How long a person waits for the end, and a service for what is queued.
constexpr milliseconds kPatience{1'000};

netcore::ConnectorOptions LinkOptions() {
  netcore::ConnectorOptions options;
  options.session.idle_timeout = kSilence;
  return options;
}

std::string WhyOf(const netcore::CloseInfo& info) {
  return info.error ? info.error.Message() : std::string(netcore::ToString(info.reason));
}

// "0.5", "8"
std::string SecondsOf(milliseconds time) {
  std::string text = std::to_string(time.count() / 1000);
  if (time.count() % 1000 != 0) text.append(".").append(std::to_string(time.count() % 1000 / 100));
  return text;
}

}  // namespace

ChatClient::ChatClient(const std::shared_ptr<netcore::IocpCore>& core,
                       const std::shared_ptr<netcore::Executor>& executor, Face& face,
                       ChatClientOptions options)
    : face_(face),
      options_(std::move(options)),
      connector_(core, LinkOptions()),
      jobs_(netcore::JobQueue::Create(executor, {.name = "client", .max_jobs = 0})),
      name_(options_.name),
      room_(options_.room) {}

ChatClient::~ChatClient() { Stop(); }

void ChatClient::Start() {
  jobs_->Push([this] { Connect(); });
}

void ChatClient::Take(std::string bytes) {
  gate_.Close();
  jobs_->Push([this, bytes = std::move(bytes)] {
    face_.Take(bytes, *this);
    Flush();
    OpenGate();
  });
}

void ChatClient::TakeEnd() {
  jobs_->Push([this] {
    face_.TakeEnd(*this);
    Flush();
  });
}

void ChatClient::Stop() {
  gate_.End();
  jobs_->Close(netcore::StopMode::kDrop);
  jobs_->WaitClosed();
  connector_.Stop(kPatience);
  connector_.WaitStopped();
}

bool ChatClient::OnLine(std::string_view line) {
  return is_finishing_ || Execute(ParseCommand(line));
}

void ChatClient::OnInputEnd() {
  // A person who says it twice does not want to wait.
  if (!is_up_ || (is_finishing_ && face_.IsPatient())) return End();
  if (std::exchange(is_finishing_, true)) return;
  Send(PacketType::kPing, kLastPing);
  link_->ShutdownSend();
  if (face_.IsPatient()) jobs_->PushAfter(kPatience, [this] { End(); });
}

void ChatClient::OnLinkUp() {
  is_up_ = true;
  if (std::exchange(was_up_, true)) {
    Tell(MessageKind::kClient, "connected again");
  } else {
    face_.Begin();
    KeepAlive();
  }
  Restore();
  Flush();
  OpenGate();
}

void ChatClient::OnPackets(const std::vector<Packet>& packets) {
  back_off_.Reset();
  for (const Packet& packet : packets) TakePacket(packet);
  Flush();
}

void ChatClient::OnLinkDown(const netcore::CloseInfo& info) {
  link_.reset();
  is_up_ = false;
  if (is_finishing_) {
    const bool is_complete = is_answered_ && info.reason == netcore::CloseReason::kPeerClosed;
    if (is_complete || face_.IsPatient()) return End();
  }
  if (!was_up_ || !face_.IsPatient()) return End(ChatClientTrouble{.info = info});
  TryAgain(info);
  Flush();
  OpenGate();
}

void ChatClient::Connect() {
  if (has_ended_) return;
  ServerLink::Owner& owner = *this;
  link_ = std::make_shared<ServerLink>(owner, jobs_);
  const netcore::Error error = connector_.Connect(options_.server, link_);
  if (error) OnLinkDown({.reason = netcore::CloseReason::kConnectFailed, .error = error});
}

// The server knows nothing of the connection before this one. It tells the room's last messages to
// who joins, and so also where everybody begins.
void ChatClient::Restore() {
  if (!name_.empty()) static_cast<void>(Execute({.kind = CommandKind::kName, .name = name_}));
  static_cast<void>(Execute({.kind = CommandKind::kJoin, .name = room_}));
}

void ChatClient::KeepAlive() {
  if (is_up_) Send(PacketType::kPing, kAlivePing);
  jobs_->PushAfter(kPingInterval, [this] { KeepAlive(); });
}

// False: it was refused for lack of a connection.
bool ChatClient::Execute(const Command& command) {
  switch (command.kind) {
    case CommandKind::kNothing:
      return true;
    case CommandKind::kWrong:
      Tell(MessageKind::kError, command.text);
      return true;
    case CommandKind::kHelp:
      Help();
      return true;
    case CommandKind::kQuit:
      OnInputEnd();
      return true;
    default:
      break;
  }
  if (const Problem problem = ProblemOf(command); problem != Problem::kNone) {
    Tell(MessageKind::kError, NoticeOf(problem));
    return true;
  }
  if (!is_up_) {
    Tell(MessageKind::kError, "not connected: nothing was sent");
    return false;
  }
  const Request request = RequestOf(command);
  Send(request.type, request.payload);
  // Nobody sends this back, and the typed line is gone.
  if (command.kind == CommandKind::kPrivate && face_.IsPatient()) {
    Tell(MessageKind::kPrivate, "to <" + command.name + "> " + command.text);
  }
  return true;
}

void ChatClient::Help() {
  for (std::string_view rest = CommandHelp(); !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    Tell(MessageKind::kClient, line);
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
}

void ChatClient::Send(PacketType type, std::string_view payload) {
  static_cast<void>(link_->SendPacket(static_cast<std::uint32_t>(type), BytesOf(payload)));
}

void ChatClient::TakePacket(const Packet& packet) {
  if (packet.type == PacketType::kPing) {
    if (packet.payload.empty()) return Send(PacketType::kPing, {});
    if (packet.payload == kLastPing) is_answered_ = true;
    return;
  }
  if (packet.type == PacketType::kSetName) name_ = packet.payload;
  if (packet.type == PacketType::kJoin) {
    room_ = packet.payload;
    face_.SetRoom(room_);
  }
  if (const auto message = MessageOf(packet.type, BytesOf(packet.payload))) face_.Show(*message);
}

void ChatClient::TryAgain(const netcore::CloseInfo& info) {
  const milliseconds delay = back_off_.Next();
  std::string text = "connection lost: " + WhyOf(info);
  text.append("; trying again in ").append(SecondsOf(delay)).append(" s");
  Tell(MessageKind::kClient, text);
  jobs_->PushAfter(delay, [this] { Connect(); });
}

void ChatClient::Tell(MessageKind kind, std::string_view text) {
  face_.Show({kind, std::string(text)});
}

void ChatClient::OpenGate() {
  if (was_up_ && (!is_up_ || link_->QueuedBytes() < kMostQueued)) gate_.Open();
}

void ChatClient::Flush() {
  if (!has_ended_ && !face_.Flush()) End(ChatClientTrouble{.is_output_lost = true});
}

void ChatClient::End(std::optional<ChatClientTrouble> trouble) {
  if (std::exchange(has_ended_, true)) return;
  if (!trouble || !trouble->is_output_lost) static_cast<void>(face_.Flush());
  trouble_ = std::move(trouble);
  gate_.End();
  options_.on_end();
}

}  // namespace samples::chat
