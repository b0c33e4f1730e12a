// What the program that exits and its test agree on.
#pragma once

namespace netcore::test {

inline constexpr int kExitStatus = 42;
inline constexpr int kHangs = 43;

}  // namespace netcore::test
