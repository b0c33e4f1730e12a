#include "netcore/base/exit_watch.h"

#include <mutex>
#include <utility>
#include <vector>

namespace netcore {
namespace {

// Without destructors: they are there until the thread is gone.
constinit thread_local int open_watches = 0;
constinit thread_local bool is_exiting = false;

class WatchedThreadEnd {
 public:
  WatchedThreadEnd() noexcept {}
  ~WatchedThreadEnd() { static_cast<void>(ExitWatch::IsExitingThread()); }
};

struct KeptForGood {
  std::mutex mutex;
  std::vector<std::shared_ptr<void>> kept;
};

}  // namespace

ExitWatch::ExitWatch() noexcept {
  thread_local const WatchedThreadEnd end;
  ++open_watches;
}

ExitWatch::~ExitWatch() { --open_watches; }

bool ExitWatch::IsExiting() noexcept { return is_exiting; }

bool ExitWatch::IsExitingThread() noexcept {
  if (open_watches > 0) is_exiting = true;
  return is_exiting;
}

void ExitWatch::Keep(std::shared_ptr<void> kept) {
  static KeptForGood* const all = new KeptForGood;
  const std::lock_guard lock(all->mutex);
  all->kept.push_back(std::move(kept));
}

}  // namespace netcore
