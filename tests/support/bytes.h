// Text as bytes, and the other way round.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace netcore::test {

inline std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string AsText(std::span<const std::byte> bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace netcore::test
