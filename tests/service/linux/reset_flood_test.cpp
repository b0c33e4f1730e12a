// A peer that connects and resets, again and again, on real sockets.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/busy.h"
#include "tests/support/descriptors.h"
#include "tests/support/test_server.h"

namespace netcore::test {
namespace {

// A blocking client that gives up after kLimit.
class RawClient {
 public:
  explicit RawClient(const Endpoint& address) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(kLimit);
    const timeval limit{seconds.count(), 0};
    for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
      ::setsockopt(socket_, SOL_SOCKET, option, &limit, sizeof limit);
    }
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer.sin_port = htons(address.Port());
    is_connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) == 0;
    if (!is_connected_) std::perror("connect");
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { ::close(socket_); }

  bool IsConnected() const { return is_connected_; }

  bool Echoes() {
    char byte = 'x';
    if (::send(socket_, &byte, 1, MSG_NOSIGNAL) != 1) return false;
    return ::recv(socket_, &byte, 1, 0) == 1;
  }

  void MakeCloseReset() {
    const linger reset{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }

 private:
  const int socket_;
  bool is_connected_ = false;
};

bool ConnectAndReset(const Endpoint& address) {
  RawClient client(address);
  client.MakeCloseReset();
  return client.IsConnected();
}

// Half of what a backlog holds here, and at most `most`.
std::size_t ThatFitABacklog(std::size_t most) {
  std::size_t longest = 128;
  std::ifstream("/proc/sys/net/core/somaxconn") >> longest;
  return std::min(most, longest / 2);
}

WorldOptions Echo() {
  WorldOptions options;
  options.threads = 1;
  options.accept_depth = 100;
  options.hooks.on_recv = [](TestSession& session, std::span<std::byte> bytes) {
    session.Send(bytes);
  };
  return options;
}

TEST_CASE("resets that fill the backlog delay no client behind them", "[service]") {
  OnRealBackends(Echo(), [](World& world) {
    const std::size_t before = DescriptorCount();
    RawClient honest(world.Address());
    REQUIRE(honest.Echoes());
    // The worker is kept from accepting until all of them lie in the backlog.
    REQUIRE(world.WaitFor([&] { return world.Servers().size() == 1; }));
    std::optional<Busy> busy(std::in_place, *world.Servers().front());
    const std::size_t count = ThatFitABacklog(2'000);
    std::size_t connected = 0;
    for (std::size_t i = 0; i < count; ++i) connected += ConnectAndReset(world.Address()) ? 1 : 0;
    CHECK(connected == count);
    RawClient late(world.Address());
    busy.reset();
    CHECK(late.Echoes());
    CHECK(honest.Echoes());
    CHECK(world.service->Stats().accept_failures == 0);
    CHECK(world.log.Count("accept") == 0);
    CHECK(world.WaitFor([&] { return world.service->Stats().sessions == 2; }));
    // Both ends of two connections.
    CHECK(world.WaitFor([&] { return DescriptorCount() == before + 4; }));
  });
}

TEST_CASE("every client is served while another thread connects and resets", "[service]") {
  OnRealBackends(Echo(), [](World& world) {
    constexpr std::size_t kResets = 2'000;
    const std::size_t before = DescriptorCount();
    std::atomic<std::size_t> resets{0};
    std::atomic<std::size_t> most_descriptors{0};
    std::thread attacker([&] {
      for (std::size_t i = 0; i < kResets; ++i) {
        ConnectAndReset(world.Address());
        if (i % 100 == 0) most_descriptors = std::max(most_descriptors.load(), DescriptorCount());
        ++resets;
      }
    });
    std::size_t served = 0;
    std::size_t tried = 0;
    while (resets < kResets) {
      RawClient honest(world.Address());
      ++tried;
      served += honest.Echoes() ? 1 : 0;
      honest.MakeCloseReset();
    }
    attacker.join();
    CHECK(tried > 0);
    CHECK(served == tried);
    CHECK(most_descriptors <= before + 4'096 + 4);
    CHECK(world.service->Stats().accept_failures == 0);
    CHECK(world.log.Count("accept") == 0);
    CHECK(world.WaitFor([&] { return world.service->Stats().sessions == 0; }));
    CHECK(world.WaitFor([&] { return DescriptorCount() == before; }));
  });
}

}  // namespace
}  // namespace netcore::test
