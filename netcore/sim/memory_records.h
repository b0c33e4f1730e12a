// What MemoryPort remembers of an adopted socket and of a pending event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "netcore/base/error.h"
#include "netcore/base/intrusive_list.h"
#include "netcore/port/completion_port.h"
#include "netcore/sim/memory_port.h"
#include "netcore/sim/memory_socket.h"

namespace netcore {

/// A socket of this port and what is pending on it.
class MemoryPort::Adopted final : public PortSocket, public MemoryWatcher {
 public:
  Adopted(MemoryPort& port, std::uint64_t id) noexcept : port_(port), id_(id) {}

  static Adopted& From(PortSocket& socket) noexcept { return static_cast<Adopted&>(socket); }

  void OnReady(EventKind kind) noexcept override {
    if (kind == EventKind::kAccept) {
      port_.MakeAcceptsReady(*this);
    } else if (IocpEvent* const event = Pending(kind)) {
      port_.MakeReady(*event);
    }
  }

  /// The one event of its kind that is pending; not for accepts.
  IocpEvent*& Pending(EventKind kind) noexcept {
    switch (kind) {
      case EventKind::kRecv:
        return recv_;
      case EventKind::kSend:
        return send_;
      default:
        return connect_;
    }
  }

  std::uint64_t Id() const noexcept { return id_; }
  bool HasPending() const noexcept {
    return recv_ != nullptr || send_ != nullptr || connect_ != nullptr || accept_count != 0;
  }

  std::unique_ptr<MemorySocket> socket;
  Endpoint connect_to;
  std::vector<SendSlice> to_send;  // of the pending send, what has not left
  OperationList accepts;           // those that are not ready
  std::size_t accept_count = 0;
  std::size_t ready_accept_count = 0;

  // For the checks.
  std::vector<SendSlice> sending;  // all of the pending send
  std::uint64_t sum = 0;           // of its bytes, as they were at the submit
  bool open = true;
  bool recv_ended = false;
  bool send_ended = false;

 private:
  MemoryPort& port_;
  std::uint64_t id_;
  IocpEvent* recv_ = nullptr;
  IocpEvent* send_ = nullptr;
  IocpEvent* connect_ = nullptr;
};

/// The record of a pending event.
struct MemoryPort::Operation : ListLink<OperationTag> {
  static constexpr std::uint32_t kAlive = 0x5e551011;

  Operation(IocpEvent& its_event, Adopted& its_socket) noexcept
      : event(its_event), socket(its_socket) {}

  IocpEvent& event;
  Adopted& socket;
  std::uint32_t alive = kAlive;
  Error error = {};  // known at the submit
  std::size_t bytes_sent = 0;
  bool ready = false;  // is in ready_
  bool cancelled = false;
  bool paused = false;
  bool held = false;
  bool was_held = false;     // since it last could go on
  bool cancel_lost = false;  // it succeeds if it can
  bool begun = false;        // a connect: was tried once
};

}  // namespace netcore
