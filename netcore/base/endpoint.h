// Endpoint: an IPv4 or IPv6 address with a port. A value; parses and prints, resolves no names.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "netcore/base/error.h"

namespace netcore {

/// Threads: as an int.
class Endpoint {
 public:
  enum class Family : std::uint8_t { kNone, kIpv4, kIpv6 };
  using Ipv4Bytes = std::array<std::uint8_t, 4>;   // network order
  using Ipv6Bytes = std::array<std::uint8_t, 16>;  // network order

  /// No address at all; prints as "none".
  Endpoint() noexcept = default;
  Endpoint(const Ipv4Bytes& address, std::uint16_t port) noexcept;

  /// An IPv4 address mapped into IPv6 (::ffff:a.b.c.d, RFC 4291 2.5.5.2) becomes that IPv4 address,
  /// so that a peer of a dual-stack listener compares and prints as what it is.
  Endpoint(const Ipv6Bytes& address, std::uint16_t port, std::uint32_t scope_id = 0) noexcept;

  /// Every address of this machine: [::], which a listener opens for IPv4 too.
  static Endpoint Any(std::uint16_t port) noexcept;
  static Endpoint AnyIpv4(std::uint16_t port) noexcept;
  static Endpoint LoopbackIpv4(std::uint16_t port) noexcept;
  static Endpoint LoopbackIpv6(std::uint16_t port) noexcept;

  /// Reads "192.0.2.1", "2001:db8::1", "fe80::1%3" (a numeric scope), "localhost" (127.0.0.1, RFC
  /// 6761 6.3), or, for every address of this machine, "" or "*". Returns kInvalidArgument, naming
  /// the text and what is wrong with it, and leaves `endpoint` alone, for anything else and for a
  /// port outside 0 to 65535.
  [[nodiscard]] static Error Parse(std::string_view address, int port, Endpoint& endpoint);

  /// Reads "192.0.2.1:80", "[2001:db8::1]:80", "localhost:80", "*:80" or ":80". Errors as above.
  [[nodiscard]] static Error Parse(std::string_view address_and_port, Endpoint& endpoint);

  Family GetFamily() const noexcept { return family_; }
  std::uint16_t Port() const noexcept { return port_; }
  std::uint32_t ScopeId() const noexcept { return scope_id_; }
  bool IsAny() const noexcept;
  bool IsLoopback() const noexcept;

  /// Network order; the first 4 bytes for IPv4.
  const Ipv6Bytes& Bytes() const noexcept { return bytes_; }

  Endpoint WithPort(std::uint16_t port) const noexcept;

  /// "192.0.2.1" or "2001:db8::1", in the form of RFC 5952.
  std::string AddressString() const;

  /// "192.0.2.1:80" or "[2001:db8::1]:80".
  std::string ToString() const;

  friend bool operator==(const Endpoint&, const Endpoint&) noexcept = default;

 private:
  Ipv6Bytes bytes_{};
  std::uint32_t scope_id_ = 0;
  std::uint16_t port_ = 0;
  Family family_ = Family::kNone;
};

}  // namespace netcore
