// A memory port whose accepts, and whose making, fail when a test says so, and whose Dispatch does
// what a test says.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "netcore/port/completion_port.h"
#include "netcore/port/port_factory.h"
#include "netcore/sim/memory_factory.h"

namespace netcore::test {

/// What the ports of one factory do. Threads: one.
struct PortScript {
  ErrorCode accept_error = ErrorCode::kNone;  // of every accept that completes from now on
  std::size_t accept_errors_left = SIZE_MAX;
  std::size_t accepts_submitted = 0;
  std::size_t aborts_left = 0;  // connections to report as gone, to an accept that stays posted
  std::size_t ports_that_work = SIZE_MAX;
  std::shared_ptr<PortFactory> fallback{};                // of the factory
  std::size_t adopts_to_refuse = 0;                       // for lack of memory
  std::deque<std::function<std::size_t()>> dispatches{};  // instead of what the port has, each once
  std::deque<std::function<std::size_t()>> ready{};       // the same for HandOutReady
  TimePoint deadline{};                                   // of the last dispatch
  std::size_t at_once_most = SIZE_MAX;          // bytes that the system takes of one SendAtOnce
  std::function<void()> behind_send_at_once{};  // what other threads do before it returns, once
};

/// Owns: the port behind it. Threads: as any port.
class ScriptedPort final : public CompletionPort {
 public:
  ScriptedPort(std::unique_ptr<CompletionPort> port, PortScript& script)
      : port_(std::move(port)), script_(script) {}

  [[nodiscard]] Error AttachThread() override { return port_->AttachThread(); }
  TimePoint Now() const noexcept override { return port_->Now(); }
  PortSocket* Adopt(OwnedSocket&& socket, const SocketOptions& options) override {
    if (script_.adopts_to_refuse > 0) {
      --script_.adopts_to_refuse;
      throw std::bad_alloc();
    }
    return port_->Adopt(std::move(socket), options);
  }
  Endpoint LocalEndpoint(const PortSocket& socket) const override {
    return port_->LocalEndpoint(socket);
  }
  void SubmitAccept(PortSocket& listener, IocpEvent& event) noexcept override {
    ++script_.accepts_submitted;
    if (script_.accept_error == ErrorCode::kNone || script_.accept_errors_left == 0) {
      port_->SubmitAccept(listener, event);
      posted_ = &event;
      return;
    }
    --script_.accept_errors_left;
    BeginEvent<Failure>(event, Failure{script_.accept_error});
    failing_.push_back(&event);
  }
  void SubmitConnect(PortSocket& socket, const Endpoint& peer, IocpEvent& event) noexcept override {
    port_->SubmitConnect(socket, peer, event);
  }
  void SubmitRecv(PortSocket& socket, IocpEvent& event) noexcept override {
    port_->SubmitRecv(socket, event);
  }
  void PauseRecv(PortSocket& socket, IocpEvent& event) noexcept override {
    port_->PauseRecv(socket, event);
  }
  void ResumeRecv(PortSocket& socket, IocpEvent& event) noexcept override {
    port_->ResumeRecv(socket, event);
  }
  void SubmitSend(PortSocket& socket, std::span<const SendSlice> slices,
                  IocpEvent& event) noexcept override {
    port_->SubmitSend(socket, slices, event);
  }
  std::size_t SendAtOnce(PortSocket& socket, std::span<const std::byte> bytes) noexcept override {
    bytes = bytes.first(std::min(bytes.size(), script_.at_once_most));
    const std::size_t sent = port_->SendAtOnce(socket, bytes);
    if (const auto act = std::exchange(script_.behind_send_at_once, {})) act();
    return sent;
  }
  std::size_t AtOnceFrom() const noexcept override { return port_->AtOnceFrom(); }
  bool IsAlone() const noexcept override { return port_->IsAlone(); }
  std::size_t HandOutReady() noexcept override {
    if (script_.ready.empty()) return port_->HandOutReady();
    const auto hand_out = std::move(script_.ready.front());
    script_.ready.pop_front();
    return hand_out();
  }
  void ShutdownSend(PortSocket& socket) noexcept override { port_->ShutdownSend(socket); }
  bool HasNews(IocpEvent& event) noexcept override {
    return IsFailing(event) || port_->HasNews(event);
  }
  void Cancel(IocpEvent& event) noexcept override {
    if (!IsFailing(event)) port_->Cancel(event);  // else it completes anyway
  }
  void Close(PortSocket& socket, CloseMode mode) noexcept override { port_->Close(socket, mode); }
  void Wake() noexcept override { port_->Wake(); }

  std::size_t DispatchUntil(TimePoint deadline) noexcept override {
    script_.deadline = deadline;
    if (!script_.dispatches.empty()) {
      const auto dispatch = std::move(script_.dispatches.front());
      script_.dispatches.pop_front();
      return dispatch();
    }
    std::size_t aborted = 0;
    while (aborted < kFullDispatch && script_.aborts_left > 0 && posted_ != nullptr &&
           posted_->IsPending()) {
      --script_.aborts_left;
      ++aborted;
      IoResult result;
      result.more = true;
      result.error = ErrorCode::kConnectionAborted;
      CompleteEvent<Failure>(*posted_, result);
    }
    if (aborted > 0) return aborted;
    const std::vector<IocpEvent*> failing = std::exchange(failing_, {});
    for (IocpEvent* event : failing) {
      IoResult result;
      result.error = RecordOf<Failure>(*event).code;
      CompleteEvent<Failure>(*event, result);
    }
    return failing.size() + port_->DispatchUntil(failing.empty() ? deadline : kNoWait);
  }

 private:
  struct Failure {
    ErrorCode code;
  };

  bool IsFailing(const IocpEvent& event) const noexcept {
    return std::find(failing_.begin(), failing_.end(), &event) != failing_.end();
  }

  std::unique_ptr<CompletionPort> port_;
  PortScript& script_;
  std::vector<IocpEvent*> failing_;
  IocpEvent* posted_ = nullptr;  // the last accept that the port behind has, or had
};

/// Lifetime: its script's.
class ScriptedFactory final : public PortFactory {
 public:
  explicit ScriptedFactory(PortScript& script) : script_(script) {}

  const std::shared_ptr<MemoryNet>& Net() const noexcept { return factory_.Net(); }

  std::string_view Name() const noexcept override { return factory_.Name(); }
  [[nodiscard]] Error MakePort(std::unique_ptr<CompletionPort>& port) override {
    if (script_.ports_that_work == 0) return Error(ErrorCode::kTooManyFiles, 24, "make a port");
    --script_.ports_that_work;
    std::unique_ptr<CompletionPort> inner;
    if (const Error error = factory_.MakePort(inner)) return error;
    port = std::make_unique<ScriptedPort>(std::move(inner), script_);
    return {};
  }
  std::shared_ptr<PortFactory> Fallback() const override { return script_.fallback; }
  [[nodiscard]] Error Listen(const Endpoint& address, const SocketOptions& options,
                             OwnedSocket& socket, Endpoint& bound) override {
    return factory_.Listen(address, options, socket, bound);
  }
  [[nodiscard]] Error OpenSocket(Endpoint::Family family, OwnedSocket& socket) override {
    return factory_.OpenSocket(family, socket);
  }

 private:
  MemoryFactory factory_;
  PortScript& script_;
};

}  // namespace netcore::test
