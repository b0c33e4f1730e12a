// Reading and printing addresses, our own, so that every system accepts and shows the same ones.
#include "netcore/base/endpoint.h"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace netcore {
namespace {

using Ipv4Bytes = Endpoint::Ipv4Bytes;
using Ipv6Bytes = Endpoint::Ipv6Bytes;
using Groups = std::array<std::uint16_t, 8>;  // an IPv6 address as it is written

constexpr Ipv6Bytes kIpv6Loopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::uint32_t kMaxPort = 65535;

bool IsMapped(const Ipv6Bytes& bytes) noexcept {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
}

// A decimal number without sign and without leading zeros, which some readers take for octal.
bool ParseDecimal(std::string_view text, std::uint32_t max, std::uint32_t& number) noexcept {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return false;
  std::uint32_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc() || stop != end || value > max) return false;
  number = value;
  return true;
}

bool ParseIpv4(std::string_view text, Ipv4Bytes& bytes) noexcept {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool last = i + 1 == bytes.size();
    const std::size_t dot = last ? text.size() : text.find('.');
    std::uint32_t value = 0;
    if (dot == std::string_view::npos || !ParseDecimal(text.substr(0, dot), 255, value))
      return false;
    bytes[i] = static_cast<std::uint8_t>(value);
    if (!last) text.remove_prefix(dot + 1);
  }
  return true;
}

bool ParseGroup(std::string_view text, std::uint16_t& group) noexcept {
  if (text.empty() || text.size() > 4) return false;
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, group, 16);
  return failure == std::errc() && stop == end;
}

// What ":" separates: groups of hexadecimal digits, the last two perhaps written as IPv4. `count`
// of them were there, and `gap` of those stood before the "::", or kNoGap.
constexpr std::size_t kNoGap = 9;

bool ParseGroups(std::string_view text, Groups& groups, std::size_t& count,
                 std::size_t& gap) noexcept {
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    const std::string_view piece = text.substr(0, colon);
    if (piece.find('.') != std::string_view::npos) {
      Ipv4Bytes tail{};
      if (colon != std::string_view::npos || count > 6 || !ParseIpv4(piece, tail)) return false;
      groups[count++] = static_cast<std::uint16_t>(tail[0] << 8 | tail[1]);
      groups[count++] = static_cast<std::uint16_t>(tail[2] << 8 | tail[3]);
      return true;
    }
    if (count == groups.size() || !ParseGroup(piece, groups[count])) return false;
    ++count;
    if (colon == std::string_view::npos) return true;
    text.remove_prefix(colon + 1);
    if (text.empty()) return false;  // ends in a single ":"
    if (text.front() == ':') {
      if (gap != kNoGap) return false;
      gap = count;
      text.remove_prefix(1);
    }
  }
  return true;
}

bool ParseIpv6(std::string_view text, Ipv6Bytes& bytes) noexcept {
  Groups groups{};
  std::size_t count = 0;
  std::size_t gap = kNoGap;
  if (!ParseGroups(text, groups, count, gap)) return false;
  if (gap == kNoGap ? count != groups.size() : count >= groups.size()) return false;
  // What stood behind the "::" belongs at the end; zeros take its place.
  if (gap != kNoGap) {
    const auto begin = groups.begin() + static_cast<std::ptrdiff_t>(gap);
    const auto end = groups.begin() + static_cast<std::ptrdiff_t>(count);
    std::rotate(begin, end, groups.end());
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    bytes[2 * i] = static_cast<std::uint8_t>(groups[i] >> 8);
    bytes[2 * i + 1] = static_cast<std::uint8_t>(groups[i] & 0xff);
  }
  return true;
}

// "fe80::1" or "fe80::1%3". A scope says which of this machine's links an IPv6 address is on, so
// an IPv4 address has none, mapped or not.
bool ParseScopedIpv6(std::string_view text, std::uint16_t port, Endpoint& endpoint) noexcept {
  const std::size_t percent = text.find('%');
  std::uint32_t scope_id = 0;
  Ipv6Bytes bytes{};
  if (!ParseIpv6(text.substr(0, percent), bytes)) return false;
  if (percent != std::string_view::npos &&
      (IsMapped(bytes) || !ParseDecimal(text.substr(percent + 1), UINT32_MAX, scope_id)))
    return false;
  endpoint = Endpoint(bytes, port, scope_id);
  return true;
}

bool ParseAddress(std::string_view text, std::uint16_t port, Endpoint& endpoint) noexcept {
  if (text.empty() || text == "*") {
    endpoint = Endpoint::Any(port);
    return true;
  }
  if (text == "localhost") {
    endpoint = Endpoint::LoopbackIpv4(port);
    return true;
  }
  Ipv4Bytes bytes{};
  if (ParseIpv4(text, bytes)) {
    endpoint = Endpoint(bytes, port);
    return true;
  }
  return ParseScopedIpv6(text, port, endpoint);
}

// The text comes from outside: it must not break the line of a log that it ends up in.
std::string Quoted(std::string_view text) {
  constexpr std::size_t kMostShown = 80;
  std::string quoted = "\"";
  for (const char c : text.substr(0, kMostShown)) quoted += c >= ' ' && c <= '~' ? c : '?';
  return quoted + (text.size() > kMostShown ? "...\"" : "\"");
}

Error Invalid(std::string_view what, std::string_view text, std::string_view why) {
  std::string where(what);
  where.append(" ").append(Quoted(text)).append(": ").append(why);
  return Error(ErrorCode::kInvalidArgument, 0, where);
}

constexpr std::string_view kNoAddress = "not an IPv4 or IPv6 address";
constexpr std::string_view kNoPort = "not between 0 and 65535";

struct Run {
  std::size_t begin = 0;
  std::size_t length = 0;
};

// RFC 5952 4.2: "::" stands for the longest run of zeros, the first of equals, never for one alone.
Run LongestZeroRun(const Groups& groups) noexcept {
  Run longest;
  Run current;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i] != 0) continue;
    const bool goes_on = current.length > 0 && current.begin + current.length == i;
    current = goes_on ? Run{current.begin, current.length + 1} : Run{i, 1};
    if (current.length > longest.length) longest = current;
  }
  return longest.length > 1 ? longest : Run{};
}

void AppendNumber(std::string& text, std::uint32_t number, int base) {
  std::array<char, 10> digits{};
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number, base);
  text.append(digits.data(), result.ptr);
}

std::string Ipv4String(const Ipv6Bytes& bytes) {
  std::string text;
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) text += '.';
    AppendNumber(text, bytes[i], 10);
  }
  return text;
}

std::string Ipv6String(const Ipv6Bytes& bytes) {
  Groups groups{};
  for (std::size_t i = 0; i < groups.size(); ++i)
    groups[i] = static_cast<std::uint16_t>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  const Run zeros = LongestZeroRun(groups);
  std::string text;
  for (std::size_t i = 0; i < groups.size();) {
    if (zeros.length > 0 && i == zeros.begin) {
      text += "::";
      i += zeros.length;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    AppendNumber(text, groups[i++], 16);
  }
  return text;
}

}  // namespace

Endpoint::Endpoint(const Ipv4Bytes& address, std::uint16_t port) noexcept
    : port_(port), family_(Family::kIpv4) {
  std::copy(address.begin(), address.end(), bytes_.begin());
}

Endpoint::Endpoint(const Ipv6Bytes& address, std::uint16_t port, std::uint32_t scope_id) noexcept
    : port_(port), family_(Family::kIpv6) {
  if (IsMapped(address)) {
    family_ = Family::kIpv4;
    std::copy(address.begin() + kMappedPrefix.size(), address.end(), bytes_.begin());
    return;
  }
  bytes_ = address;
  scope_id_ = scope_id;
}

Endpoint Endpoint::Any(std::uint16_t port) noexcept { return Endpoint(Ipv6Bytes{}, port); }

Endpoint Endpoint::AnyIpv4(std::uint16_t port) noexcept { return Endpoint(Ipv4Bytes{}, port); }

Endpoint Endpoint::LoopbackIpv4(std::uint16_t port) noexcept {
  return Endpoint(Ipv4Bytes{127, 0, 0, 1}, port);
}

Endpoint Endpoint::LoopbackIpv6(std::uint16_t port) noexcept {
  return Endpoint(kIpv6Loopback, port);
}

Error Endpoint::Parse(std::string_view address, int port, Endpoint& endpoint) {
  if (port < 0 || port > static_cast<int>(kMaxPort)) {
    return Error(ErrorCode::kInvalidArgument, 0,
                 "port " + std::to_string(port) + ": " + std::string(kNoPort));
  }
  if (!ParseAddress(address, static_cast<std::uint16_t>(port), endpoint))
    return Invalid("address", address, kNoAddress);
  return {};
}

Error Endpoint::Parse(std::string_view address_and_port, Endpoint& endpoint) {
  const bool in_brackets = address_and_port.starts_with('[');
  const std::size_t end = address_and_port.find(in_brackets ? "]:" : ":");
  if (end == std::string_view::npos) {
    return Invalid("address", address_and_port,
                   in_brackets ? "no \"]:\" and port behind it" : "no \":\" and port behind it");
  }
  const std::string_view address =
      address_and_port.substr(in_brackets ? 1 : 0, in_brackets ? end - 1 : end);
  const std::string_view port_text = address_and_port.substr(end + (in_brackets ? 2 : 1));
  if (!in_brackets && port_text.find(':') != std::string_view::npos) {
    return Invalid("address", address_and_port,
                   "an IPv6 address with a port is written [address]:port");
  }
  std::uint32_t number = 0;
  if (!ParseDecimal(port_text, kMaxPort, number)) return Invalid("port", port_text, kNoPort);
  const auto port = static_cast<std::uint16_t>(number);
  if (in_brackets && !ParseScopedIpv6(address, port, endpoint))
    return Invalid("address", address, "not an IPv6 address");
  if (!in_brackets && !ParseAddress(address, port, endpoint))
    return Invalid("address", address, kNoAddress);
  return {};
}

bool Endpoint::IsAny() const noexcept { return family_ != Family::kNone && bytes_ == Ipv6Bytes{}; }

bool Endpoint::IsLoopback() const noexcept {
  if (family_ == Family::kIpv4) return bytes_[0] == 127;
  return family_ == Family::kIpv6 && bytes_ == kIpv6Loopback;
}

Endpoint Endpoint::WithPort(std::uint16_t port) const noexcept {
  Endpoint copy = *this;
  copy.port_ = port;
  return copy;
}

std::string Endpoint::AddressString() const {
  if (family_ == Family::kNone) return "none";
  if (family_ == Family::kIpv4) return Ipv4String(bytes_);
  std::string text = Ipv6String(bytes_);
  if (scope_id_ != 0) {
    text += '%';
    AppendNumber(text, scope_id_, 10);
  }
  return text;
}

std::string Endpoint::ToString() const {
  if (family_ == Family::kNone) return "none";
  std::string text = family_ == Family::kIpv6 ? "[" : "";
  text += AddressString();
  text += family_ == Family::kIpv6 ? "]:" : ":";
  AppendNumber(text, port_, 10);
  return text;
}

}  // namespace netcore
