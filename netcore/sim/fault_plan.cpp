// The odds of each fault, and drawing it.
#include "netcore/sim/fault_plan.h"

#include <algorithm>
#include <numeric>

namespace netcore {
namespace {

struct Kind {
  std::string_view name;
  double highest_rate;
};

// Where Fault has its order from. Rates so that a run of some thousand completions sees dozens of
// faults and yet gets somewhere.
constexpr std::array<Kind, kFaultCount> kKinds = {{
    {"short send", 0.5},
    {"short recv", 0.5},
    {"late bytes", 0.3},
    {"stalled peer", 0.003},
    {"late completion", 0.2},
    {"reordered", 0.5},
    {"empty ring", 0.02},
    {"peer FIN", 0.004},
    {"peer reset", 0.004},
    {"accept aborted", 0.1},
    {"accept: too many files", 0.1},
    {"accept: no buffers", 0.1},
    {"connect refused", 0.1},
    {"connect timed out", 0.1},
    {"cancel lost", 0.7},
    {"cancel late", 0.5},
    {"handle reused", 0.7},
    {"adopt failed", 0.05},
    {"clock jump", 0.05},
    {"no memory", 0.0},
}};

// Of these two are never zero: they can do no more harm than take time.
constexpr std::array kHarmless = {Fault::kShortSend, Fault::kShortRecv, Fault::kLateBytes,
                                  Fault::kLateCompletion, Fault::kReordered};

constexpr double kScale = 4294967295.0;

}  // namespace

std::string_view ToString(Fault fault) noexcept {
  return kKinds[static_cast<std::size_t>(fault)].name;
}

void FaultPlan::DrawRates() noexcept {
  for (std::size_t index = 0; index < kFaultCount; ++index) {
    const bool never = random_.OneIn(2);
    const std::uint32_t step = random_.Below(3);
    const double rate = kKinds[index].highest_rate / static_cast<double>(1U << (2 * step));
    SetRate(static_cast<Fault>(index), never ? 0.0 : rate);
  }
  const std::uint32_t first = random_.Below(kHarmless.size());
  for (const std::uint32_t index : {first, first + 1}) {
    const Fault sure = kHarmless[index % kHarmless.size()];
    SetRate(sure, kKinds[static_cast<std::size_t>(sure)].highest_rate);
  }
}

void FaultPlan::SetRate(Fault fault, double rate) noexcept {
  rates_[static_cast<std::size_t>(fault)] =
      static_cast<std::uint32_t>(std::clamp(rate, 0.0, 1.0) * kScale);
}

bool FaultPlan::Happens(Fault fault) noexcept {
  const std::uint32_t rate = rates_[static_cast<std::size_t>(fault)];
  if (rate == 0 || static_cast<std::uint32_t>(random_.Next() >> 32U) > rate) return false;
  Count(fault);
  return true;
}

Duration FaultPlan::DrawDelay() noexcept {
  const auto longest = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(kLongestDelay).count());
  return std::chrono::microseconds(1 + random_.Below(random_.OneIn(8) ? longest : longest / 64));
}

Duration FaultPlan::DrawStall() noexcept {
  const auto longest = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(kLongestStall).count());
  return std::chrono::microseconds(1 + random_.Below(longest));
}

std::size_t FaultPlan::DrawShort(std::size_t size) noexcept {
  if (size <= 1) return size;
  if (random_.OneIn(8)) return 1;
  const std::size_t most = random_.OneIn(2) ? size - 1 : std::min<std::size_t>(size - 1, 64);
  return 1 + random_.Below(static_cast<std::uint32_t>(most));
}

std::uint64_t FaultPlan::Total() const noexcept {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

}  // namespace netcore
