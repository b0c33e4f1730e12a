// What a connection tells the log.
#include <chrono>
#include <string_view>

#include "netcore/session/connection.h"
#include "netcore/session/session_log_format.h"

namespace netcore {

void Connection::LogBegan() noexcept {
  if (!context_->GetLog().Enabled(LogLevel::kDebug)) return;
  began_ = worker_.Port().Now();
  WriteLog(context_->GetLog(), LogLevel::kDebug, "session {} ({}): began on worker {}, backend {}",
           Id(), peer_, worker_.Index(), context_->Backend());
}

// One that was never open may end on any thread, where the port's clock must not be read. The
// round's time may be from before a long hook.
void Connection::LogEnded() noexcept {
  const Log& log = context_->GetLog();
  if (!log.Enabled(LogLevel::kDebug)) return;
  if (!opened_) {
    return WriteLog(log, LogLevel::kDebug, "session {} ({}): never began: {}", Id(), peer_,
                    CloseCause{close_info_});
  }
  WriteLog(
      log, LogLevel::kDebug,
      "session {} ({}): ended after {} ms: {}; {} bytes received, {} sent, {} unsent", Id(), peer_,
      std::chrono::duration_cast<std::chrono::milliseconds>(worker_.Port().Now() - began_).count(),
      CloseCause{close_info_}, bytes_received_, bytes_sent_, close_info_.bytes_unsent);
}

// A peer can make a hook throw for each connection. Not so where the hook runs on another thread
// than the worker's: there the caller's own connect has failed.
void Connection::LogThrown(const char* hook, const char* what) noexcept {
  const std::string_view separator = what != nullptr ? ": " : "";
  if (what == nullptr) what = "";
  const Log& log = context_->GetLog();
  if (!IsOwnThread()) {
    return WriteLog(log, LogLevel::kError, "session {} ({}): {} threw{}{}", Id(), peer_, hook,
                    separator, what);
  }
  WriteLogLimited(log, LogLevel::kError, context_->HookLogLimit(), worker_.Now(),
                  "session {} ({}): {} threw{}{}", Id(), peer_, hook, separator, what);
}

}  // namespace netcore
