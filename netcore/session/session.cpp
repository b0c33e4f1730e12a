// A session's verbs go to its connection, which is not there before it begins.
#include "netcore/session/session.h"

#include <utility>

#include "netcore/session/connection.h"

namespace netcore {

Session::Session() = default;
Session::~Session() = default;

SendResult Session::Send(std::span<const std::byte> bytes) noexcept {
  Connection* const connection = Begun();
  return connection != nullptr ? connection->Send(bytes) : SendResult::kClosing;
}

SendResult Session::SendReceived(std::span<std::byte> bytes) noexcept {
  Connection* const connection = Begun();
  return connection != nullptr ? connection->SendReceived(bytes) : SendResult::kClosing;
}

SendResult Session::Send(SendBufferRef buffer) noexcept {
  Connection* const connection = Begun();
  return connection != nullptr ? connection->Send(std::move(buffer)) : SendResult::kClosing;
}

void Session::Disconnect(CloseReason reason, Closing closing) noexcept {
  if (Connection* const connection = Begun()) connection->Disconnect(reason, closing);
}

void Session::ShutdownSend() noexcept {
  if (Connection* const connection = Begun()) connection->ShutdownSend();
}

void Session::PauseRecv() noexcept {
  if (Connection* const connection = Begun()) connection->AskPaused(true);
}

void Session::ResumeRecv() noexcept {
  if (Connection* const connection = Begun()) connection->AskPaused(false);
}

bool Session::Post(Task task) {
  Connection* const connection = Begun();
  return connection != nullptr && connection->Post(std::move(task));
}

std::size_t Session::QueuedBytes() const noexcept {
  Connection* const connection = Begun();
  return connection != nullptr ? connection->QueuedBytes() : 0;
}

bool Session::IsConnected() const noexcept {
  const Connection* const connection = Begun();
  return connection != nullptr && connection->IsConnected();
}

SessionId Session::Id() const noexcept {
  Connection* const connection = Begun();
  return connection != nullptr ? connection->Id() : SessionId();
}

std::shared_ptr<SessionManager> Session::Manager() const noexcept {
  Connection* const connection = Begun();
  return connection != nullptr ? connection->Manager() : nullptr;
}

Endpoint Session::PeerEndpoint() const noexcept {
  Connection* const connection = Begun();
  return connection != nullptr ? connection->Peer() : Endpoint();
}

Endpoint Session::LocalEndpoint() const noexcept {
  Connection* const connection = Begun();
  return connection != nullptr ? connection->Local() : Endpoint();
}

OwnedBytes Session::Keep(std::span<const std::byte> bytes) {
  Worker* const worker = Worker::Current();
  return worker != nullptr ? worker->KeptBytes().Copy(bytes) : OwnedBytes::Copy(bytes);
}

void Session::OnRecv(std::span<std::byte>) {}
void Session::OnSend(std::size_t) {}
void Session::OnDisconnected(const CloseInfo&) {}

}  // namespace netcore
