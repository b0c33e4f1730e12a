// Keeping the last events, and telling them.
#include "netcore/sim/sim_trace.h"

#include <fmt/format.h>

#include "netcore/sim/sim_random.h"

namespace netcore {
namespace {

constexpr std::array<std::string_view, 10> kEventNames = {"round",    "clock",  "adopt", "submit",
                                                          "complete", "cancel", "close", "shutdown",
                                                          "note",     "logic"};

constexpr std::array<std::string_view, 4> kKindNames = {"accept", "connect", "recv", "send"};

constexpr std::uint64_t kSocketMask = (std::uint64_t{1} << 40U) - 1;

}  // namespace

void SimTrace::Add(TimePoint now, SimEvent event, std::uint8_t detail, std::uint64_t place,
                   std::uint64_t value) noexcept {
  entries_[count_ % kKept] = {now, event, detail, place, value};
  ++count_;
  if (event == SimEvent::kComplete) ++completions_;
  if (event == SimEvent::kSubmit) ++submits_;
  const auto time = static_cast<std::uint64_t>(now.time_since_epoch().count());
  hash_ = SimRandom::Mix(hash_ ^ (time + (std::uint64_t{static_cast<std::uint8_t>(event)} << 56U) +
                                  (std::uint64_t{detail} << 48U)));
  hash_ = SimRandom::Mix(hash_ ^ (place + (value << 20U) + (value >> 44U)));
}

void SimTrace::AddNote(TimePoint now, std::string_view text) {
  notes_[count_ % kKept] = text;
  std::uint64_t hash = text.size();
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  Add(now, SimEvent::kNote, 0, 0, hash);
}

void SimTrace::Fail(TimePoint now, std::string_view what) {
  if (!failure_.empty()) return;
  failure_ = what;
  AddNote(now, "FAILED: " + failure_);
}

std::vector<std::string> SimTrace::Lines() const {
  std::vector<std::string> lines;
  const std::uint64_t first = count_ > kKept ? count_ - kKept : 0;
  for (std::uint64_t index = first; index < count_; ++index) {
    lines.push_back(Describe(entries_[index % kKept], notes_[index % kKept]));
  }
  return lines;
}

std::string SimTrace::Describe(const Entry& entry, const std::string& note) {
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(entry.at.time_since_epoch()).count();
  const std::string_view name = kEventNames[static_cast<std::size_t>(entry.event)];
  if (entry.event == SimEvent::kNote) return fmt::format("{:>12} us  {}", micros, note);
  if (entry.event == SimEvent::kClock) return fmt::format("{:>12} us  clock", micros);
  if (entry.event == SimEvent::kRound) {
    return fmt::format("{:>12} us  round of worker {}", micros, entry.place);
  }
  if (entry.event == SimEvent::kLogic) {
    if (entry.place == 0) return fmt::format("{:>12} us  an alarm of the job queues", micros);
    return fmt::format("{:>12} us  step of job queue {}", micros, entry.place);
  }
  const bool of_operation = entry.event == SimEvent::kSubmit ||
                            entry.event == SimEvent::kComplete || entry.event == SimEvent::kCancel;
  const std::string_view kind =
      of_operation && entry.detail < kKindNames.size() ? kKindNames[entry.detail] : "";
  return fmt::format("{:>12} us  port {} socket {:<4} {:<8} {} {}", micros, entry.place >> 40U,
                     entry.place & kSocketMask, name, kind, entry.value);
}

}  // namespace netcore
