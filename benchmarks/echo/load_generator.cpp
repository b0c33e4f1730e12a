#include "echo/load_generator.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <span>
#include <stdexcept>

#include "echo/system_call.h"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kMostSecondsToFinish = 20;

// Of a turn, before it is measured: all connections begin at once.
constexpr double kSecondsToSettle = 0.003;

// So that each buffer was used once, and its pages are there, before anything is measured.
constexpr std::uint64_t kWarmUpMessages = 2048;
constexpr double kMostSecondsToWarmUp = 3;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double OwnCpuSeconds() {
  timespec time{};
  Check(::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time), "clock_gettime");
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// Blocks until the connection stands, and never after that.
int Connect(std::uint16_t port) {
  const int descriptor =
      Check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP), "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Check(::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address),
        "connect");
  const int on = 1;
  Check(::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
  Check(::fcntl(descriptor, F_SETFL, O_NONBLOCK), "fcntl");
  return descriptor;
}

// What is missing in one of them is missing in `sum`.
void AddDifference(std::optional<std::uint64_t>& sum, const std::optional<std::uint64_t>& before,
                   const std::optional<std::uint64_t>& after) {
  if (before && after) {
    sum = sum.value_or(0) + (*after - *before);
  } else {
    sum = std::nullopt;
  }
}

void AddDifference(ServerMeter::Reading& sum, const ServerMeter::Reading& before,
                   const ServerMeter::Reading& after) {
  sum.cpu_seconds += after.cpu_seconds - before.cpu_seconds;
  AddDifference(sum.cycles, before.cycles, after.cycles);
  AddDifference(sum.instructions, before.instructions, after.instructions);
  AddDifference(sum.system_calls, before.system_calls, after.system_calls);
}

}  // namespace

LoadGenerator::LoadGenerator(const LoadOptions& options, const LoadTarget& target)
    : options_(options),
      target_(target),
      burst_bytes_(options.message_bytes * options.pipeline),
      epoll_(Check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      connections_(options.connections),
      idle_count_(options.connections) {}

LoadGenerator::~LoadGenerator() {
  for (const Connection& connection : connections_) {
    if (connection.descriptor >= 0) ::close(connection.descriptor);
  }
  ::close(epoll_);
}

void LoadGenerator::Begin() {
  ConnectAll();
  meter_.emplace(target_.process, options_.counts_system_calls);
  BeginBursts();
  WarmUp();
  FinishBursts();
}

void LoadGenerator::TakeTurn(double seconds) {
  BeginBursts();
  RunFor(kSecondsToSettle);
  const ServerMeter::Reading before = meter_->Read();
  const double cpu_before = OwnCpuSeconds();
  const std::uint64_t messages_before = messages_;
  const Clock::time_point start = Clock::now();
  RunFor(seconds);
  AddDifference(result_.server, before, meter_->Read());
  result_.seconds += SecondsSince(start);
  result_.client_cpu_seconds += OwnCpuSeconds() - cpu_before;
  result_.messages += messages_ - messages_before;
  FinishBursts();
}

LoadResult LoadGenerator::End() {
  CheckEnds();
  result_.all_messages = messages_;
  return result_;
}

void LoadGenerator::ConnectAll() {
  for (Connection& connection : connections_) {
    connection.descriptor = Connect(target_.port);
    Watch(EPOLL_CTL_ADD, connection);
  }
}

void LoadGenerator::WarmUp() {
  const Clock::time_point start = Clock::now();
  RunFor(options_.warm_up_seconds);
  while (messages_ < kWarmUpMessages && SecondsSince(start) < kMostSecondsToWarmUp) {
    HandleEvents(100);
  }
}

void LoadGenerator::BeginBursts() {
  is_ending_ = false;
  for (Connection& connection : connections_) BeginBurst(connection);
}

void LoadGenerator::RunFor(double seconds) {
  const Clock::time_point start = Clock::now();
  while (SecondsSince(start) < seconds) HandleEvents(100);
}

void LoadGenerator::FinishBursts() {
  is_ending_ = true;
  const Clock::time_point start = Clock::now();
  while (idle_count_ < connections_.size()) {
    if (SecondsSince(start) > kMostSecondsToFinish) throw std::runtime_error("bytes are missing");
    HandleEvents(100);
  }
}

// All bursts are back, so each connection has nothing more to say than its end.
void LoadGenerator::CheckEnds() {
  for (Connection& connection : connections_) {
    Check(::shutdown(connection.descriptor, SHUT_WR), "shutdown");
    Check(::fcntl(connection.descriptor, F_SETFL, 0), "fcntl");
    if (Check(::recv(connection.descriptor, receive_buffer_.data(), 1, 0), "recv") != 0) {
      throw std::runtime_error("more came back than was sent");
    }
  }
}

void LoadGenerator::HandleEvents(int timeout_ms) {
  std::array<epoll_event, 512> events;
  const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                                 options_.sleeps ? timeout_ms : 0);
  if (count < 0 && errno != EINTR) Check(count, "epoll_wait");
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    auto& connection = *static_cast<Connection*>(event.data.ptr);
    if ((event.events & EPOLLOUT) != 0) Send(connection);
    if ((event.events & ~std::uint32_t{EPOLLOUT}) != 0) Receive(connection);
  }
  // Not one by one as they are received: a server that is faster than this would have one message
  // at a time to do, and sleep in between.
  for (Connection* const connection : finished_) BeginBurst(*connection);
  finished_.clear();
}

void LoadGenerator::Receive(Connection& connection) {
  const ssize_t count =
      ::recv(connection.descriptor, receive_buffer_.data(), receive_buffer_.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  Check(count, "recv");
  if (count == 0) throw std::runtime_error("the server closed a connection");
  const auto size = static_cast<std::size_t>(count);
  if (connection.received + size > connection.sent) {
    throw std::runtime_error("more came back than was sent");
  }
  if (!pattern_.Matches(connection.received, std::span(receive_buffer_).first(size))) {
    throw std::runtime_error("what came back is not what was sent");
  }
  const std::uint64_t messages_before = connection.received / options_.message_bytes;
  connection.received += size;
  messages_ += connection.received / options_.message_bytes - messages_before;
  if (connection.received < connection.burst_end) return;
  ++idle_count_;
  if (!is_ending_) finished_.push_back(&connection);
}

void LoadGenerator::BeginBurst(Connection& connection) {
  --idle_count_;
  connection.burst_end = connection.sent + burst_bytes_;
  Send(connection);
}

void LoadGenerator::Send(Connection& connection) {
  while (connection.sent < connection.burst_end) {
    const auto left = static_cast<std::size_t>(connection.burst_end - connection.sent);
    const std::span<const std::byte> bytes = pattern_.At(connection.sent, left);
    const ssize_t sent = ::send(connection.descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) break;
    connection.sent += static_cast<std::uint64_t>(Check(sent, "send"));
  }
  const bool must_wait = connection.sent < connection.burst_end;
  if (must_wait == connection.waits_for_room) return;
  connection.waits_for_room = must_wait;
  Watch(EPOLL_CTL_MOD, connection);
}

void LoadGenerator::Watch(int operation, Connection& connection) {
  epoll_event watch{};
  watch.events = connection.waits_for_room ? EPOLLIN | EPOLLOUT : EPOLLIN;
  watch.data.ptr = &connection;
  Check(::epoll_ctl(epoll_, operation, connection.descriptor, &watch), "epoll_ctl");
}

}  // namespace bench
