// Endpoint: what it reads, what it refuses and how, and how it prints.
#include "netcore/base/endpoint.h"

#include <random>
#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace netcore {
namespace {

// The printed form, or "refused".
std::string Read(const std::string& address) {
  Endpoint endpoint;
  return Endpoint::Parse(address, 0, endpoint) ? "refused" : endpoint.AddressString();
}

std::string ReadWithPort(const std::string& text) {
  Endpoint endpoint;
  return Endpoint::Parse(text, endpoint) ? "refused" : endpoint.ToString();
}

std::string Refusal(const std::string& text) {
  Endpoint endpoint;
  return Endpoint::Parse(text, endpoint).Message();
}

TEST_CASE("an IPv4 address is read strictly", "[endpoint]") {
  CHECK(Read("192.0.2.1") == "192.0.2.1");
  CHECK(Read("0.0.0.0") == "0.0.0.0");
  CHECK(Read("255.255.255.255") == "255.255.255.255");
  const std::string text = GENERATE(
      "01.2.3.4", "1.2.3.04", "0x7f.0.0.1", "127.1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3",
      "1..2.3", "256.0.0.1", "300.1.1.1", "99999999999.0.0.1", "1.2.3.-4", "1.2.3.+4", " 1.2.3.4",
      "1.2.3.4 ", "1.2.3.4%1", "2130706433", "a.b.c.d", "example.com", "..", ".");
  CAPTURE(text);
  CHECK(Read(text) == "refused");
}

TEST_CASE("an IPv6 address is read and printed as RFC 5952 says", "[endpoint]") {
  struct Case {
    const char* text;
    const char* printed;
  };
  const std::vector<Case> cases = {
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"0:0:0:0:0:0:0:0", "::"},
      {"2001:DB8::0001", "2001:db8::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
      {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
      {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
      {"fe80::1%3", "fe80::1%3"},
      {"fe80::1%0", "fe80::1"},
      {"fe80::1%4294967295", "fe80::1%4294967295"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.text);
    CHECK(Read(each.text) == each.printed);
  }
}

TEST_CASE("what looks like an IPv6 address and is none is refused", "[endpoint]") {
  const std::string text = GENERATE(
      ":", ":::", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1::2::3", "1:::2", "12345::", "g::", "::-1",
      "::+1", "::0x1", "::1.2.3", "::1.2.3.4:5", "1.2.3.4::", "::01.2.3.4", "1:2:3:4:5:6:7:1.2.3.4",
      "[::1]", "::1 ", " ::1", "fe80::1%", "fe80::1%eth0", "fe80::1%01", "fe80::1%-1",
      "fe80::1%4294967296", "fe80::1%1%2", "%1", "::ffff:1.2.3.4%1", "::1/64");
  CAPTURE(text);
  CHECK(Read(text) == "refused");
}

TEST_CASE("a name for every address and one for this machine are understood", "[endpoint]") {
  Endpoint endpoint;
  REQUIRE_FALSE(Endpoint::Parse("", 7, endpoint));
  CHECK(endpoint == Endpoint::Any(7));
  REQUIRE_FALSE(Endpoint::Parse("*", 8, endpoint));
  CHECK(endpoint == Endpoint::Any(8));
  REQUIRE_FALSE(Endpoint::Parse("localhost", 9, endpoint));
  CHECK(endpoint == Endpoint::LoopbackIpv4(9));
  CHECK(Read("localhost.") == "refused");
  CHECK(Read("**") == "refused");
}

TEST_CASE("an IPv4 address mapped into IPv6 is that IPv4 address", "[endpoint]") {
  Endpoint mapped;
  REQUIRE_FALSE(Endpoint::Parse("[::ffff:192.0.2.1]:80", mapped));
  CHECK(mapped == Endpoint(Endpoint::Ipv4Bytes{192, 0, 2, 1}, 80));
  CHECK(mapped.GetFamily() == Endpoint::Family::kIpv4);
  CHECK(mapped.ToString() == "192.0.2.1:80");
  const Endpoint::Ipv6Bytes bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};
  CHECK(Endpoint(bytes, 1, 5) == Endpoint::LoopbackIpv4(1));
}

TEST_CASE("an address with its port is read in every form", "[endpoint]") {
  CHECK(ReadWithPort("192.0.2.1:80") == "192.0.2.1:80");
  CHECK(ReadWithPort("[2001:db8::1]:0") == "[2001:db8::1]:0");
  CHECK(ReadWithPort("[fe80::1%3]:65535") == "[fe80::1%3]:65535");
  CHECK(ReadWithPort("localhost:80") == "127.0.0.1:80");
  CHECK(ReadWithPort("*:80") == "[::]:80");
  CHECK(ReadWithPort(":80") == "[::]:80");
  CHECK(ReadWithPort("[::]:80") == "[::]:80");
  const std::string text = GENERATE(
      "", "80", "192.0.2.1", "192.0.2.1:", "192.0.2.1:-1", "192.0.2.1:+1", "192.0.2.1:65536",
      "192.0.2.1:080", "192.0.2.1:8o", "192.0.2.1: 80", "192.0.2.1:99999999999999999999", "::1:80",
      "[::1]", "[::1]80", "[::1:80", "::1]:80", "[]:80", "[*]:80", "[localhost]:80",
      "[192.0.2.1]:80", "[[::1]]:80", "[::1]:80:", "]:80", "[]:", "[", "]", ":");
  CAPTURE(text);
  CHECK(ReadWithPort(text) == "refused");
}

TEST_CASE("a refusal names the text and what is wrong, and changes nothing", "[endpoint]") {
  const Endpoint before = Endpoint::LoopbackIpv6(5);
  Endpoint endpoint = before;
  const Error bad_address = Endpoint::Parse("300.1.1.1", 80, endpoint);
  CHECK(bad_address == ErrorCode::kInvalidArgument);
  CHECK(bad_address.Message() ==
        "address \"300.1.1.1\": not an IPv4 or IPv6 address: invalid argument");
  for (const int port : {-1, 65536, 70000}) {
    const Error bad_port = Endpoint::Parse("127.0.0.1", port, endpoint);
    CHECK(bad_port == ErrorCode::kInvalidArgument);
    CHECK(bad_port.Message() ==
          "port " + std::to_string(port) + ": not between 0 and 65535: invalid argument");
  }
  CHECK(Endpoint::Parse("127.0.0.1:70000", endpoint) == ErrorCode::kInvalidArgument);
  CHECK(endpoint == before);
  CHECK(Refusal("1.2.3.4:x").find("port \"x\": not between") == 0);
  CHECK(Refusal("1.2.3.4").find("address \"1.2.3.4\": no \":\"") == 0);
  CHECK(Refusal("[::1]").find("address \"[::1]\": no \"]:\"") == 0);
  CHECK(Refusal("::1:80").find("address \"::1:80\": an IPv6 address with a port") == 0);
}

TEST_CASE("a refusal shows what would break a log line as question marks, and not all of it",
          "[endpoint]") {
  CHECK(Refusal("a\r\n\x1b[2J\xff:80").find("address \"a???[2J?\": not") == 0);
  std::string address(100'000, 'x');
  address += ":80";
  const std::string message = Refusal(address);
  CHECK(message.size() < 200);
  CHECK(message.find("xxx...\"") != std::string::npos);
}

TEST_CASE("no endpoint at all prints as none", "[endpoint]") {
  const Endpoint none;
  CHECK(none.GetFamily() == Endpoint::Family::kNone);
  CHECK(none.ToString() == "none");
  CHECK(none.AddressString() == "none");
  CHECK_FALSE(none.IsAny());
  CHECK_FALSE(none.IsLoopback());
}

TEST_CASE("an endpoint tells what kind of address it has", "[endpoint]") {
  CHECK(Endpoint::Any(0).IsAny());
  CHECK(Endpoint::Any(0).GetFamily() == Endpoint::Family::kIpv6);
  CHECK(Endpoint::AnyIpv4(0).IsAny());
  CHECK(Endpoint::AnyIpv4(0).GetFamily() == Endpoint::Family::kIpv4);
  CHECK_FALSE(Endpoint::LoopbackIpv4(0).IsAny());
  CHECK(Endpoint::LoopbackIpv4(0).IsLoopback());
  CHECK(Endpoint::LoopbackIpv6(0).IsLoopback());
  CHECK(Endpoint(Endpoint::Ipv4Bytes{127, 9, 9, 9}, 0).IsLoopback());
  CHECK_FALSE(Endpoint(Endpoint::Ipv4Bytes{128, 0, 0, 1}, 0).IsLoopback());
  CHECK_FALSE(Endpoint::Any(0).IsLoopback());
}

TEST_CASE("another port changes the port alone", "[endpoint]") {
  Endpoint endpoint;
  REQUIRE_FALSE(Endpoint::Parse("[fe80::1%3]:80", endpoint));
  const Endpoint other = endpoint.WithPort(81);
  CHECK(other.ToString() == "[fe80::1%3]:81");
  CHECK(other.Port() == 81);
  CHECK(other.ScopeId() == 3);
  CHECK(other != endpoint);
  CHECK(other.WithPort(80) == endpoint);
}

TEST_CASE("whatever is printed is read back as the same endpoint", "[endpoint]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    Endpoint::Ipv6Bytes bytes{};
    for (std::uint8_t& byte : bytes)  // many zeros, so that "::" is put everywhere
      if (random() % 4 == 0) byte = static_cast<std::uint8_t>(random());
    const auto port = static_cast<std::uint16_t>(random());
    const auto scope_id = static_cast<std::uint32_t>(random() % 3 * 1'000'000'000);
    const Endpoint::Ipv4Bytes ipv4_bytes{bytes[0], bytes[1], bytes[2], bytes[3]};
    const Endpoint endpoint =
        random() % 4 == 0 ? Endpoint(ipv4_bytes, port) : Endpoint(bytes, port, scope_id);
    const std::string text = endpoint.ToString();
    CAPTURE(text);
    Endpoint read;
    REQUIRE_FALSE(Endpoint::Parse(text, read));
    REQUIRE(read == endpoint);
  }
}

TEST_CASE("random text is refused or read, and what is read prints and reads back", "[endpoint]") {
  constexpr std::string_view kAlphabet = "0123456789abcdefF::::....[]%*x- ";
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 100'000; ++i) {
    std::string text(random() % 24, ' ');
    for (char& c : text) c = kAlphabet[random() % kAlphabet.size()];
    CAPTURE(text);
    Endpoint endpoint;
    Endpoint again;
    if (!Endpoint::Parse(text, 80, endpoint) || !Endpoint::Parse(text, endpoint)) {
      REQUIRE_FALSE(Endpoint::Parse(endpoint.ToString(), again));
      REQUIRE(again == endpoint);
    }
  }
}

}  // namespace
}  // namespace netcore
