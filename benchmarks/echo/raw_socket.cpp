#include "echo/raw_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "echo/system_call.h"

namespace bench {

int Listen(std::uint16_t& port) {
  const int descriptor =
      Check(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP), "socket");
  const int on = 1;
  Check(::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const general = reinterpret_cast<sockaddr*>(&address);
  socklen_t length = sizeof address;
  Check(::bind(descriptor, general, length), "bind");
  Check(::listen(descriptor, SOMAXCONN), "listen");
  Check(::getsockname(descriptor, general, &length), "getsockname");
  port = ntohs(address.sin_port);
  return descriptor;
}

void SetConnectionOptions(int descriptor) {
  const int on = 1;
  Check(::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
}

}  // namespace bench
