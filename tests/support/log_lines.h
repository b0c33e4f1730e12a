// LogLines: a log that a test can ask.
#pragma once

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "netcore/base/log.h"

namespace netcore::test {

/// Threads: any.
class LogLines {
 public:
  LogSink Sink() {
    return [this](LogLevel, std::string_view line) {
      const std::lock_guard lock(mutex_);
      lines_.emplace_back(line);
    };
  }

  /// How many lines have `part` in them.
  std::size_t Count(std::string_view part) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(
        lines_.begin(), lines_.end(),
        [&](const std::string& line) { return line.find(part) != std::string::npos; }));
  }

  /// How many lines like those with `part` in them were left out, as lines with `part` say.
  std::size_t LeftOut(std::string_view part) const {
    constexpr std::string_view kEnd = " more like it)";
    const std::lock_guard lock(mutex_);
    std::size_t count = 0;
    for (const std::string& line : lines_) {
      if (line.find(part) == std::string::npos || !line.ends_with(kEnd)) continue;
      count += std::stoul(line.substr(line.rfind('(') + 1));
    }
    return count;
  }

  std::string All() const {
    const std::lock_guard lock(mutex_);
    std::string all;
    for (const std::string& line : lines_) all += line + "\n";
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace netcore::test
