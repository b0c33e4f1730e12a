// Figures to words.
#include "common/service_summary.h"

#include <ostream>

namespace samples {

void PrintSummary(std::ostream& out, const netcore::ServiceStats& stats,
                  const netcore::StopReport& stop) {
  out << "served " << stats.total_sessions << " sessions, " << stats.peak_sessions
      << " at most at once; " << stats.bytes_received << " bytes in, " << stats.bytes_sent
      << " bytes out";
  if (stats.refused > 0) out << "; refused " << stats.refused;
  if (stats.accept_failures > 0) out << "; " << stats.accept_failures << " accepts failed";

  out << "\nended:";
  const char* separator = " ";
  for (std::size_t index = 0; index < netcore::kCloseReasonCount; ++index) {
    const auto reason = static_cast<netcore::CloseReason>(index);
    if (stats.Ended(reason) == 0) continue;
    out << separator << stats.Ended(reason) << ' ' << netcore::ToString(reason);
    separator = ", ";
  }
  if (stats.total_sessions == 0) out << " none";

  out << "\nstopped in " << stop.duration.count() << " ms: " << stop.sessions_ended
      << " sessions ended, " << stop.sessions_cut << " of them cut short with " << stop.bytes_unsent
      << " bytes unsent";
  if (!stop.complete) out << "; gave up on " << stop.sessions_left << " sessions";
  out << std::endl;
}

}  // namespace samples
