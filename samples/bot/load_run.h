// LoadRun: connects many bots, lets them load a server for a time, waits for the last answers and
// says what came of it. Knows no mode.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bot/bot.h"
#include "bot/load_options.h"
#include "bot/load_result.h"
#include "netcore/core/iocp_core.h"
#include "netcore/service/connector.h"

namespace samples {

/// Owns: the connector, a share in each bot. Lifetime: one run. Threads: one; the bots live on the
/// core's, which runs already.
class LoadRun {
 public:
  /// Called a few times a second with what is going on.
  using Progress = std::function<void(const std::string&)>;

  LoadRun(std::shared_ptr<netcore::IocpCore> core, const LoadOptions& options,
          std::shared_ptr<LoadShared> shared, BotFactory make_bot, Progress progress);

  /// Takes as long as the options allow, or until a stop signal. Once.
  LoadResult Run();

 private:
  using Clock = std::chrono::steady_clock;

  void Connect();
  void Load(LoadResult& result);
  void Drain();
  void Close();

  void ShowConnecting();
  void ShowLoad(std::chrono::duration<double> elapsed);
  bool AllEnded() const noexcept;
  template <typename Condition>
  void WaitUntil(Clock::time_point deadline, Condition&& condition);

  const std::shared_ptr<netcore::IocpCore> core_;
  const LoadOptions options_;
  const std::shared_ptr<LoadShared> shared_;
  LoadStats& stats_;
  const BotFactory make_bot_;
  const Progress progress_;
  netcore::Connector connector_;
  std::vector<std::shared_ptr<Bot>> bots_;
};

}  // namespace samples
