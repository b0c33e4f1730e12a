// What a chat server costs that is nothing but an epoll loop on one thread: what a library's and a
// protocol's cost is measured against. One room; it knows what is said, pings, and joins, which it
// answers as if they were something. Two ways to tell the room: each receiver is sent each message
// by itself as soon as it comes, or (--join) gets all that came in a round of the loop in one send.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "echo/raw_socket.h"
#include "echo/system_call.h"

namespace bench {
namespace {

constexpr std::size_t kHeaderSize = 5;  // u8 type, u32 big-endian length of what follows
constexpr std::size_t kMostPayload = 8192;

constexpr std::byte kSay{1};
constexpr std::byte kPing{4};
constexpr std::byte kJoin{16};

using Bytes = std::vector<std::byte>;

struct Client {
  int descriptor = -1;
  std::string name;   // "guest-7 : "
  Bytes open_packet;  // what has come of the next one
  Bytes unsent;       // from unsent_begin on
  std::size_t unsent_begin = 0;
  bool waits_for_room = false;
  bool is_broken = false;
};

void Append(Bytes& bytes, std::span<const std::byte> more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

std::size_t PayloadSize(std::span<const std::byte> header) {
  std::size_t size = 0;
  for (std::size_t at = 1; at < kHeaderSize; ++at) {
    size = size << 8 | std::to_integer<std::size_t>(header[at]);
  }
  return size;
}

/// Owns: its sockets. Lifetime: the program's. Threads: one.
class RawChatServer {
 public:
  RawChatServer(std::uint16_t port, bool joins)
      : joins_(joins), epoll_(Check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
    listener_ = Listen(port);
    Watch(EPOLL_CTL_ADD, listener_, EPOLLIN, nullptr);
    std::cout << "listening on " << port << std::endl;
  }

  [[noreturn]] void Run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      if (count < 0 && errno != EINTR) Check(count, "epoll_wait");
      for (int i = 0; i < count; ++i) Handle(events[static_cast<std::size_t>(i)]);
      if (joins_) FlushAll();
      DropBroken();
    }
  }

 private:
  void Watch(int operation, int descriptor, std::uint32_t events, Client* client) {
    epoll_event watch{};
    watch.events = events;
    watch.data.ptr = client;
    Check(::epoll_ctl(epoll_, operation, descriptor, &watch), "epoll_ctl");
  }

  void Handle(const epoll_event& event) {
    auto* const client = static_cast<Client*>(event.data.ptr);
    if (client == nullptr) return AcceptAll();
    if ((event.events & EPOLLOUT) != 0) Flush(*client);
    if ((event.events & ~std::uint32_t{EPOLLOUT}) != 0) Receive(*client);
  }

  void AcceptAll() {
    for (;;) {
      const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor < 0) return;
      SetConnectionOptions(descriptor);
      clients_.push_back(std::make_unique<Client>());
      Client& client = *clients_.back();
      client.descriptor = descriptor;
      client.name = "guest-" + std::to_string(++last_guest_) + " : ";
      Watch(EPOLL_CTL_ADD, descriptor, EPOLLIN, &client);
    }
  }

  void Receive(Client& client) {
    const ssize_t received =
        ::recv(client.descriptor, receive_buffer_.data(), receive_buffer_.size(), 0);
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (received <= 0) return Break(client);
    std::span<const std::byte> bytes(receive_buffer_.data(), static_cast<std::size_t>(received));
    if (client.open_packet.empty()) return KeepRest(client, TakePackets(client, bytes));
    Append(client.open_packet, bytes);
    bytes = TakePackets(client, client.open_packet);
    client.open_packet.erase(client.open_packet.begin(),
                             client.open_packet.end() - static_cast<std::ptrdiff_t>(bytes.size()));
  }

  static void KeepRest(Client& client, std::span<const std::byte> rest) {
    Append(client.open_packet, rest);
  }

  // Returns what is no whole packet.
  std::span<const std::byte> TakePackets(Client& client, std::span<const std::byte> bytes) {
    while (bytes.size() >= kHeaderSize) {
      const std::size_t size = PayloadSize(bytes);
      if (size > kMostPayload) {
        Break(client);
        return {};
      }
      if (bytes.size() < kHeaderSize + size) break;
      Answer(client, bytes.first(kHeaderSize + size));
      bytes = bytes.subspan(kHeaderSize + size);
    }
    return bytes;
  }

  void Answer(Client& client, std::span<const std::byte> packet) {
    if (packet[0] == kSay) return Say(client, packet.subspan(kHeaderSize));
    const bool has_payload = packet.size() > kHeaderSize;
    if ((packet[0] == kPing && has_payload) || packet[0] == kJoin) Send(client, packet);
  }

  // To the speaker first.
  void Say(Client& speaker, std::span<const std::byte> text) {
    said_.clear();
    const std::size_t size = speaker.name.size() + text.size();
    said_.push_back(kSay);
    for (int shift = 24; shift >= 0; shift -= 8) said_.push_back(std::byte(size >> shift & 0xff));
    Append(said_, std::as_bytes(std::span(speaker.name)));
    Append(said_, text);
    Send(speaker, said_);
    for (const std::unique_ptr<Client>& client : clients_) {
      if (client.get() != &speaker) Send(*client, said_);
    }
  }

  void Send(Client& client, std::span<const std::byte> packet) {
    if (joins_ || !client.unsent.empty()) return Append(client.unsent, packet);
    const ssize_t sent = ::send(client.descriptor, packet.data(), packet.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return Break(client);
    Append(client.unsent, packet.subspan(sent > 0 ? static_cast<std::size_t>(sent) : 0));
    WatchForRoom(client);
  }

  void FlushAll() {
    for (const std::unique_ptr<Client>& client : clients_) {
      if (!client->unsent.empty() && !client->waits_for_room) Flush(*client);
    }
  }

  void Flush(Client& client) {
    const ssize_t sent = ::send(client.descriptor, client.unsent.data() + client.unsent_begin,
                                client.unsent.size() - client.unsent_begin, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return Break(client);
    client.unsent_begin += sent > 0 ? static_cast<std::size_t>(sent) : 0;
    if (client.unsent_begin == client.unsent.size()) {
      client.unsent.clear();
      client.unsent_begin = 0;
    }
    WatchForRoom(client);
  }

  void WatchForRoom(Client& client) {
    const bool must_wait = !client.unsent.empty();
    if (must_wait == client.waits_for_room) return;
    client.waits_for_room = must_wait;
    Watch(EPOLL_CTL_MOD, client.descriptor, must_wait ? EPOLLIN | EPOLLOUT : EPOLLIN, &client);
  }

  // Others may be in the middle of the list, and more of its events in this round.
  void Break(Client& client) {
    client.is_broken = true;
    client.unsent.clear();
    client.unsent_begin = 0;
    has_broken_ = true;
  }

  void DropBroken() {
    if (!has_broken_) return;
    has_broken_ = false;
    std::erase_if(clients_, [](const std::unique_ptr<Client>& client) {
      if (client->is_broken) ::close(client->descriptor);
      return client->is_broken;
    });
  }

  const bool joins_;
  const int epoll_;
  int listener_ = -1;
  std::uint64_t last_guest_ = 0;
  alignas(64) std::array<std::byte, 64 * 1024> receive_buffer_;  // elsewhere recv may be slow
  Bytes said_;
  std::vector<std::unique_ptr<Client>> clients_;
  bool has_broken_ = false;
};

int Main(int argc, char** argv) {
  std::uint16_t port = 0;
  bool joins = false;
  CLI::App app("A chat of one room; an epoll loop and nothing else.");
  app.add_option("--port", port, "port to listen on at 127.0.0.1, 0: any free one")
      ->capture_default_str();
  app.add_flag("--join", joins, "what comes in one round of the loop leaves in one send");
  CLI11_PARSE(app, argc, argv);
  try {
    RawChatServer(port, joins).Run();
  } catch (const std::exception& error) {
    std::cerr << "raw_chat_server: " << error.what() << std::endl;
    return 1;
  }
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc, argv); }
