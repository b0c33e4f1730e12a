// How a run is told to people and to programs.
#pragma once

#include <iosfwd>

#include "bot/run_result.h"

namespace samples {

void PrintTable(std::ostream& out, const RunResult& result);

/// One object; times in microseconds, but for what is called seconds.
void PrintJson(std::ostream& out, const RunResult& result);

}  // namespace samples
