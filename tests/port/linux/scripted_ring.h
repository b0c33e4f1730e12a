// ScriptedRing: an IoUringScript that a test fills in, and a harness on the port that follows it.
#pragma once

#include <cerrno>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "netcore/base/log.h"
#include "netcore/port/linux/io_uring_factory.h"
#include "netcore/port/linux/io_uring_script.h"
#include "tests/port/contract_fixture.h"

namespace netcore::linux_port {

/// Threads: its port's.
class ScriptedRing final : public IoUringScript {
 public:
  int RefuseRing() noexcept override { return ++rings_asked == refused_ring ? ring_refusal : 0; }
  int RefuseCancel() noexcept override {
    ++cancels_asked;
    if (cancel_refusals.empty()) return 0;
    const int refusal = cancel_refusals.front();
    if (cancel_refusals.size() > 1 || !refuses_for_ever) cancel_refusals.pop_front();
    return refusal;
  }
  int FailEnter() noexcept override {
    ++enters;
    if (failing_enters == 0) return 0;
    --failing_enters;
    return enter_error;
  }
  int FailPeer() noexcept override {
    if (dead_peers == 0) return 0;
    --dead_peers;
    return ENOTCONN;
  }

  std::size_t rings_asked = 0;
  std::size_t refused_ring = 0;  // the n-th; 0: none
  int ring_refusal = ENOMEM;
  std::size_t cancels_asked = 0;
  std::deque<int> cancel_refusals;
  bool refuses_for_ever = false;  // with the last of cancel_refusals
  std::size_t enters = 0;
  std::size_t failing_enters = 0;
  int enter_error = 0;
  std::size_t dead_peers = 0;  // of those that are accepted from now on
};

inline bool HasIoUring() {
  std::unique_ptr<PortFactory> factory;
  const auto log = std::make_shared<const Log>([](LogLevel, std::string_view) {});
  return !IoUringFactory::Create(log, IoUringFactory::Choice::kByName, factory);
}

/// Runs `body(harness, ring, lines)` on a scripted port; `lines` is what it logs.
template <typename Body>
void OnScriptedRing(Body&& body) {
  if (!HasIoUring()) {
    WARN("no io_uring on this machine: not tested");
    return;
  }
  std::vector<std::string> lines;
  ScriptedRing ring;
  const auto log = std::make_shared<const Log>(
      [&](LogLevel, std::string_view line) { lines.emplace_back(line); });
  IoUringFactory factory(log, IoUringFactory::Choice::kByName, {}, &ring);
  contract::Harness harness(factory);
  body(harness, ring, lines);
  harness.Finish();
}

}  // namespace netcore::linux_port
