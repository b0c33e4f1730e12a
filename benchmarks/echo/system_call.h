// What the raw loops and the load generator do with a system call that fails: give up, with its
// name.
#pragma once

#include <cerrno>
#include <system_error>

namespace bench {

/// `result`, unless it is negative: then throws std::system_error with errno and `what`.
template <typename Result>
Result Check(Result result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

}  // namespace bench
