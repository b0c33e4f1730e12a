// The little that the samples ask of stdin and stdout beyond what C++ offers.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace samples {

/// stdin and stdout carry bytes as they are from now on; Windows would change the ends of lines.
void UseBinaryStreams();

/// Hands what comes on stdin to `consume` as soon as it comes: a line that was typed, or what a
/// pipe brought. Returns true at the end of the input, and false as soon as `consume` does. Not to
/// be mixed with std::cin.
bool ReadInput(const std::function<bool(std::span<const std::byte>)>& consume);

/// Whether somebody watches stdout, so that a line can be rewritten in place.
bool OutputIsTerminal();

}  // namespace samples
