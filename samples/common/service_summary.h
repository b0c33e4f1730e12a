// What a server did, in a few lines for whoever stopped it.
#pragma once

#include <iosfwd>

#include "netcore/session/service_stats.h"

namespace samples {

/// Prints three lines: sessions and bytes, how the sessions ended, and what the stop did.
void PrintSummary(std::ostream& out, const netcore::ServiceStats& stats,
                  const netcore::StopReport& stop);

}  // namespace samples
