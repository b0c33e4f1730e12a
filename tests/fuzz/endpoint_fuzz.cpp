// Endpoint::Parse on any text: what it takes, it prints and takes again as the same value; what it
// refuses, it refuses with words that fit into a log. The system's own parser is the second
// opinion.
#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "netcore/base/endpoint.h"
#include "tests/fuzz/fuzz_support.h"

namespace netcore {
namespace {

const Endpoint kUntouched = Endpoint::LoopbackIpv6(4711);
constexpr std::size_t kLongestMessage = 250;

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

void CheckRefusal(const Error& error, const Endpoint& endpoint) {
  FUZZ_REQUIRE(error == ErrorCode::kInvalidArgument);
  FUZZ_REQUIRE(endpoint == kUntouched);
  const std::string message = error.Message();
  FUZZ_REQUIRE(!message.empty() && message.size() <= kLongestMessage);
  FUZZ_REQUIRE(IsPrintable(message));
}

void CheckPrinted(const Endpoint& endpoint) {
  FUZZ_REQUIRE(endpoint.GetFamily() != Endpoint::Family::kNone);
  const std::string text = endpoint.ToString();
  const std::string address = endpoint.AddressString();
  FUZZ_REQUIRE(IsPrintable(text) && IsPrintable(address));

  Endpoint again = kUntouched;
  FUZZ_REQUIRE(!Endpoint::Parse(text, again));
  FUZZ_REQUIRE(again == endpoint && again.ToString() == text);
  again = kUntouched;
  FUZZ_REQUIRE(!Endpoint::Parse(address, endpoint.Port(), again));
  FUZZ_REQUIRE(again == endpoint && again.AddressString() == address);
}

// True for what the system's parser has no say in: names of ours, scopes, and what it can't see the
// end of.
bool IsOurOwn(std::string_view text) {
  return text.empty() || text == "*" || text == "localhost" ||
         text.find('%') != std::string_view::npos || text.find('\0') != std::string_view::npos;
}

void CheckAgainstSystem(std::string_view text, bool taken, const Endpoint& endpoint) {
  if (IsOurOwn(text)) return;
  const std::string terminated(text);
  in_addr ipv4{};
  in6_addr ipv6{};
  Endpoint expected = kUntouched;
  if (::inet_pton(AF_INET, terminated.c_str(), &ipv4) == 1) {
    Endpoint::Ipv4Bytes bytes;
    std::memcpy(bytes.data(), &ipv4, bytes.size());
    expected = Endpoint(bytes, endpoint.Port());
  } else if (::inet_pton(AF_INET6, terminated.c_str(), &ipv6) == 1) {
    Endpoint::Ipv6Bytes bytes;
    std::memcpy(bytes.data(), &ipv6, bytes.size());
    expected = Endpoint(bytes, endpoint.Port());
  }
  FUZZ_REQUIRE(taken == (expected != kUntouched));
  if (taken) FUZZ_REQUIRE(endpoint == expected);
}

void CheckAddress(std::string_view text, int port) {
  Endpoint endpoint = kUntouched;
  const Error error = Endpoint::Parse(text, port, endpoint);
  if (error) {
    CheckRefusal(error, endpoint);
  } else {
    FUZZ_REQUIRE(endpoint.Port() == port);
    CheckPrinted(endpoint);
  }
  if (port >= 0 && port <= 65535) CheckAgainstSystem(text, !error, endpoint);
}

void CheckAddressAndPort(std::string_view text) {
  Endpoint endpoint = kUntouched;
  if (const Error error = Endpoint::Parse(text, endpoint)) {
    CheckRefusal(error, endpoint);
  } else {
    CheckPrinted(endpoint);
  }
}

}  // namespace
}  // namespace netcore

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  netcore::CheckAddressAndPort(text);
  for (const int port : {0, 11021, 65535, -1, 65536}) netcore::CheckAddress(text, port);
  return 0;
}
