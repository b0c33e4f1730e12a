// MemoryStep: whoever has something to do at a later time of a MemoryNet.
#pragma once

#include <cstddef>

namespace netcore {

/// Lifetime: asks the net to forget it before it goes. Threads: its net's one.
class MemoryStep {
 public:
  /// A time that it asked for has come. Calls no owner of an event: only note it.
  virtual void OnDue() noexcept = 0;

 protected:
  ~MemoryStep() = default;

 private:
  friend class MemoryNet;
  std::size_t scheduled_count_ = 0;
};

}  // namespace netcore
