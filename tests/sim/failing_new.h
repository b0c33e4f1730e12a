// Replaces operator new of the program by one that can fail when asked, and counts what is alive.
#pragma once

#include <cstdint>

#include "netcore/sim/sim_control.h"

namespace netcore::test {

/// The allocations of the calling thread. Threads: each has its own.
class FailingMemory final : public SimMemory {
 public:
  static FailingMemory& OfThisThread() noexcept;

  void FailNth(std::uint64_t nth) noexcept override;
  void Disarm() noexcept override;
  bool TakeFailed() noexcept override;
  bool SetCounting(bool on) noexcept override;

  /// Blocks that this thread allocated, less those that it freed.
  std::int64_t LiveCount() const noexcept;
};

/// What a scenario does for itself, inside hooks too, is no allocation of the library's.
class OwnWork {
 public:
  OwnWork() : before_(FailingMemory::OfThisThread().SetCounting(false)) {}
  OwnWork(const OwnWork&) = delete;
  OwnWork& operator=(const OwnWork&) = delete;
  ~OwnWork() { FailingMemory::OfThisThread().SetCounting(before_); }

 private:
  const bool before_;
};

}  // namespace netcore::test
