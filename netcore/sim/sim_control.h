// SimControl: what a simulated network and its ports share with whoever drives them: chance, what
// goes wrong, what happened.
#pragma once

#include <cstdint>

#include "netcore/sim/fault_plan.h"
#include "netcore/sim/sim_random.h"
#include "netcore/sim/sim_trace.h"

namespace netcore {

/// How a simulation reaches the operator new that a test program has replaced. The library never
/// replaces it. Threads: the simulation's one.
class SimMemory {
 public:
  /// The `nth` allocation that counts from now on fails (1: the next; 0: none), once.
  virtual void FailNth(std::uint64_t nth) noexcept = 0;

  /// None fails any more.
  virtual void Disarm() noexcept = 0;

  /// True once after one has failed.
  virtual bool TakeFailed() noexcept = 0;

  /// Whether allocations count: only while a worker runs the library and its hooks. Returns what
  /// was before.
  virtual bool SetCounting(bool on) noexcept = 0;

 protected:
  ~SimMemory() = default;
};

/// Lifetime: outlives the net that it is given to. Threads: one.
struct SimControl {
  explicit SimControl(std::uint64_t seed) noexcept : random(seed), faults(random) {}
  SimControl(const SimControl&) = delete;
  SimControl& operator=(const SimControl&) = delete;

  SimRandom random;
  FaultPlan faults;
  SimTrace trace;
  SimMemory* memory = nullptr;
};

/// While the simulator works for itself, or, from inside that, for the library.
class SimMemoryScope {
 public:
  SimMemoryScope(const SimControl* control, bool counting) noexcept
      : memory_(control != nullptr ? control->memory : nullptr),
        before_(memory_ != nullptr && memory_->SetCounting(counting)) {}
  SimMemoryScope(const SimMemoryScope&) = delete;
  SimMemoryScope& operator=(const SimMemoryScope&) = delete;
  ~SimMemoryScope() {
    if (memory_ != nullptr) memory_->SetCounting(before_);
  }

 private:
  SimMemory* const memory_;
  const bool before_;
};

class SimOwnWork : public SimMemoryScope {
 public:
  explicit SimOwnWork(const SimControl* control) noexcept : SimMemoryScope(control, false) {}
};

class SimForeignWork : public SimMemoryScope {
 public:
  explicit SimForeignWork(const SimControl* control) noexcept : SimMemoryScope(control, true) {}
};

}  // namespace netcore
