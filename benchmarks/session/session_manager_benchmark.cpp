// Finding sessions by id, as SessionManager::Find does in the table of the id's worker.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "netcore/session/session.h"
#include "netcore/session/session_table.h"

namespace netcore {
namespace {

class Silent final : public Session {};

struct Guest {
  explicit Guest(SessionTable& table) : place(table.Take()) { place.Show(*session); }

  SessionRef session = std::make_shared<Silent>();
  SessionTable::Place place;
};

/// `count` sessions that are there, and their ids in an order of their own.
class Crowd {
 public:
  explicit Crowd(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      guests_.push_back(std::make_unique<Guest>(table_));
      ids_.push_back(guests_.back()->place.Id());
    }
    std::shuffle(ids_.begin(), ids_.end(), std::mt19937(1));
  }

  const SessionTable& Table() const { return table_; }
  const std::vector<SessionId>& Ids() const { return ids_; }

 private:
  SessionTable table_{0};
  std::vector<std::unique_ptr<Guest>> guests_;
  std::vector<SessionId> ids_;
};

const Crowd& CrowdOf(std::int64_t count) {
  static const Crowd small(100);
  static const Crowd large(10'000);
  return count == 100 ? small : large;
}

void FindBySessionId(benchmark::State& state) {
  const Crowd& crowd = CrowdOf(state.range(0));
  std::size_t next = static_cast<std::size_t>(state.thread_index()) * 7'919 % crowd.Ids().size();
  for (auto _ : state) {
    benchmark::DoNotOptimize(crowd.Table().Find(crowd.Ids()[next]));
    if (++next == crowd.Ids().size()) next = 0;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(FindBySessionId)->Arg(100)->Arg(10'000);
BENCHMARK(FindBySessionId)->Arg(10'000)->Threads(2)->UseRealTime();

// Each id is of a generation that has not come yet, which is as good as one that has gone.
void FindByStaleSessionId(benchmark::State& state) {
  const Crowd& crowd = CrowdOf(state.range(0));
  std::size_t next = 0;
  for (auto _ : state) {
    const SessionId id = crowd.Ids()[next];
    benchmark::DoNotOptimize(
        crowd.Table().Find(SessionId::Of(id.Generation() + 1, id.Worker(), id.Slot())));
    if (++next == crowd.Ids().size()) next = 0;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(FindByStaleSessionId)->Arg(100)->Arg(10'000);

void ComeAndGo(benchmark::State& state) {
  SessionTable table(0);
  const SessionRef session = std::make_shared<Silent>();
  for (auto _ : state) {
    SessionTable::Place place = table.Take();
    place.Show(*session);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ComeAndGo);

}  // namespace
}  // namespace netcore
