// LoadRun: connects many bots, lets them load a server in one mode after another, waits for the
// last answers and says what came of it. Knows no mode.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bot/connection_stats.h"
#include "bot/crowd.h"
#include "bot/load_options.h"
#include "bot/run_result.h"
#include "netcore/core/iocp_core.h"
#include "netcore/service/connector.h"

namespace samples {

/// Owns: the connector, a share in each bot. Lifetime: one run. Threads: one; the bots live on the
/// core's, which runs already.
class LoadRun {
 public:
  /// Called some times a second with how much of a part is done, 0 to 1, and what is going on.
  using Progress = std::function<void(double done, const std::string& text)>;

  LoadRun(std::shared_ptr<netcore::IocpCore> core, const LoadOptions& options,
          std::shared_ptr<ConnectionStats> connections, std::unique_ptr<Crowd> crowd,
          Progress progress);

  /// Takes as long as the options allow, or until a stop signal. Once. Modes that come behind one
  /// that failed are not tried.
  RunResult Run();

 private:
  using Clock = std::chrono::steady_clock;

  void Connect();
  LoadResult RunLoad(LoadMode mode);
  void Prepare(Load& load);
  void Carry(Load& load, LoadResult& result);
  void Drain(Load& load);
  void Close();

  bool IsTimeToShow();
  void ShowConnecting();
  void ShowLoad(const Load& load, LoadMode mode, Clock::duration elapsed);
  bool AllEnded() const noexcept { return stats_->ended == stats_->connected; }
  template <typename Condition>
  bool WaitUntil(Clock::time_point deadline, Condition&& condition);

  const std::shared_ptr<netcore::IocpCore> core_;
  const LoadOptions options_;
  const std::shared_ptr<ConnectionStats> stats_;
  const std::unique_ptr<Crowd> crowd_;
  const Progress progress_;
  netcore::Connector connector_;
  std::vector<std::shared_ptr<Bot>> bots_;
  Clock::time_point next_show_{};
};

}  // namespace samples
