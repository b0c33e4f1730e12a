// How many descriptors this process has open. Linux only.
#pragma once

#include <cstddef>
#include <filesystem>
#include <iterator>

namespace netcore::test {

inline std::size_t DescriptorCount() {
  const std::filesystem::directory_iterator open("/proc/self/fd");
  // Less the one that reads the folder.
  return static_cast<std::size_t>(std::distance(begin(open), end(open))) - 1;
}

}  // namespace netcore::test
