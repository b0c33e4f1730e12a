// An echo server that is nothing but an epoll loop: what a library's cost is measured against.
// Level-triggered; one recv a readiness into a buffer that all connections share, and no second one
// after it; the answer is sent at once, from that buffer, and only what does not fit is copied.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <span>
#include <vector>

#include "echo/message_cutter.h"
#include "echo/raw_socket.h"
#include "echo/server_options.h"
#include "echo/system_call.h"

namespace bench {
namespace {

struct Connection {
  explicit Connection(int its_descriptor, std::size_t message_bytes)
      : descriptor(its_descriptor), cutter(message_bytes) {}

  int descriptor;
  MessageCutter cutter;
  std::vector<std::byte> unsent;  // while there is some, nothing is received
  std::size_t unsent_begin = 0;
};

/// Owns: its sockets. Lifetime: the program's. Threads: one.
class RawEpollServer {
 public:
  explicit RawEpollServer(const ServerOptions& options)
      : message_bytes_(options.message_bytes),
        epoll_(Check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
    std::uint16_t port = options.port;
    listener_ = Listen(port);
    Watch(EPOLL_CTL_ADD, listener_, EPOLLIN, nullptr);
    SayListening(port);
  }

  [[noreturn]] void Run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      if (count < 0 && errno != EINTR) Check(count, "epoll_wait");
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        auto* const connection = static_cast<Connection*>(event.data.ptr);
        if (connection == nullptr) {
          AcceptAll();
        } else if ((event.events & EPOLLOUT) != 0) {
          SendRest(*connection);
        } else {
          Receive(*connection);
        }
      }
    }
  }

 private:
  void Watch(int operation, int descriptor, std::uint32_t events, Connection* connection) {
    epoll_event watch{};
    watch.events = events;
    watch.data.ptr = connection;
    Check(::epoll_ctl(epoll_, operation, descriptor, &watch), "epoll_ctl");
  }

  void AcceptAll() {
    for (;;) {
      const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor < 0) return;
      SetConnectionOptions(descriptor);
      Watch(EPOLL_CTL_ADD, descriptor, EPOLLIN, new Connection(descriptor, message_bytes_));
    }
  }

  void Receive(Connection& connection) {
    const ssize_t received =
        ::recv(connection.descriptor, receive_buffer_.data(), receive_buffer_.size(), 0);
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (received <= 0) return Close(connection);
    const std::span<const std::byte> bytes(receive_buffer_.data(),
                                           static_cast<std::size_t>(received));
    bool is_fine = true;
    if (message_bytes_ == 0) {
      is_fine = Send(connection, bytes);
    } else {
      connection.cutter.Cut(bytes, [&](std::span<const std::byte> message) {
        is_fine = is_fine && Send(connection, message);
      });
    }
    if (!is_fine) return Close(connection);
    if (!connection.unsent.empty()) {
      Watch(EPOLL_CTL_MOD, connection.descriptor, EPOLLOUT, &connection);
    }
  }

  // False when the connection is gone.
  bool Send(Connection& connection, std::span<const std::byte> bytes) {
    if (connection.unsent.empty()) {
      const ssize_t sent = ::send(connection.descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent == static_cast<ssize_t>(bytes.size())) return true;
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
      bytes = bytes.subspan(sent > 0 ? static_cast<std::size_t>(sent) : 0);
    }
    connection.unsent.insert(connection.unsent.end(), bytes.begin(), bytes.end());
    return true;
  }

  void SendRest(Connection& connection) {
    const ssize_t sent =
        ::send(connection.descriptor, connection.unsent.data() + connection.unsent_begin,
               connection.unsent.size() - connection.unsent_begin, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (sent < 0) return Close(connection);
    connection.unsent_begin += static_cast<std::size_t>(sent);
    if (connection.unsent_begin < connection.unsent.size()) return;
    connection.unsent.clear();
    connection.unsent_begin = 0;
    Watch(EPOLL_CTL_MOD, connection.descriptor, EPOLLIN, &connection);
  }

  // A descriptor is named at most once in a batch, and closing takes it out of the epoll.
  void Close(Connection& connection) {
    ::close(connection.descriptor);
    delete &connection;
  }

  const std::size_t message_bytes_;
  const int epoll_;
  int listener_ = -1;
  alignas(64) std::array<std::byte, 64 * 1024> receive_buffer_;  // elsewhere recv may be slow
};

int Main(int argc, char** argv) {
  ServerOptions options;
  if (const auto status =
          ParseCommandLine("Sends back whatever its clients send; an epoll loop and nothing else.",
                           argc, argv, options)) {
    return *status;
  }
  try {
    RawEpollServer(options).Run();
  } catch (const std::exception& error) {
    std::cerr << "raw_epoll_server: " << error.what() << std::endl;
    return 1;
  }
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc, argv); }
