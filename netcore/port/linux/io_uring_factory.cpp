#include "netcore/port/linux/io_uring_factory.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "netcore/port/linux/epoll_factory.h"
#include "netcore/port/linux/linux_sockets.h"

namespace netcore::linux_port {
namespace {

// Two connected descriptors.
class SocketPair {
 public:
  SocketPair() = default;
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;
  ~SocketPair() {
    for (const int descriptor : descriptors_)
      if (descriptor >= 0) ::close(descriptor);
  }

  [[nodiscard]] Error Open() {
    constexpr int kType = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    if (::socketpair(AF_UNIX, kType, 0, descriptors_.data()) == 0) return {};
    return ErrorFromErrno(errno, "io_uring: socketpair");
  }

  int First() const noexcept { return descriptors_[0]; }
  int Second() const noexcept { return descriptors_[1]; }

 private:
  std::array<int, 2> descriptors_{-1, -1};
};

// Receives one byte as a port does. The newest of what a port needs is the repeating recv (Linux
// 6.0), and a kernel that lacks it says so in the completion.
Error ProbeRecv(IoUringRing& ring) {
  constexpr std::uint64_t kProbe = 1;
  constexpr int kMaxEnters = 10;
  constexpr Duration kEach = std::chrono::milliseconds(100);
  SocketPair pair;
  if (Error error = pair.Open()) return error;
  if (::write(pair.Second(), "", 1) != 1) return ErrorFromErrno(errno, "io_uring: write");

  io_uring_sqe* const entry = ring.NextEntry();
  if (entry == nullptr) return Error(ErrorCode::kNoBuffers, 0, "io_uring: probe");
  io_uring_prep_recv_multishot(entry, pair.First(), nullptr, 0, 0);
  entry->flags |= IOSQE_BUFFER_SELECT;
  entry->buf_group = IoUringBuffers::kGroup;
  io_uring_sqe_set_data64(entry, kProbe);

  IoUringRing::Completion completion{};
  bool has_answer = false;
  for (int i = 0; !has_answer && i < kMaxEnters; ++i) {
    ring.Enter(kEach);
    has_answer = ring.NextCompletion(completion);
  }
  if (has_answer && completion.result == 1 && completion.HasBuffer() && completion.HasMore())
    return {};
  const int system_code = completion.result < 0 ? -completion.result : 0;
  return Error(ErrorCode::kNotSupported, system_code, "io_uring: multishot recv (Linux 6.0)");
}

Error Probe() {
  constexpr unsigned kEntries = 8;
  IoUringBuffers buffers;
  IoUringRing ring;
  if (Error error = ring.Create(kEntries, 4 * kEntries)) return error;
  if (Error error = buffers.Create(ring, kEntries)) return error;
  if (Error error = ring.Enable()) return error;
  return ProbeRecv(ring);
}

}  // namespace

Error IoUringFactory::Create(std::shared_ptr<const Log> log, Choice choice,
                             std::unique_ptr<PortFactory>& factory) {
  auto created = std::make_unique<IoUringFactory>(log, choice);
  if (Error error = RunApart(Probe)) return error;
  // A port asks for more than the probe did.
  std::unique_ptr<CompletionPort> port;
  if (Error error = created->MakePort(port)) return error;
  log->Write(LogLevel::kDebug, "io_uring: works here");
  factory = std::move(created);
  return {};
}

Error IoUringFactory::MakePort(std::unique_ptr<CompletionPort>& port) {
  auto opened = std::make_unique<IoUringPort>(sizes_, log_, script_);
  if (Error error = opened->Open()) return error;
  port = std::move(opened);
  return {};
}

std::shared_ptr<PortFactory> IoUringFactory::Fallback() const {
  return choice_ == Choice::kBest ? std::make_shared<EpollFactory>() : nullptr;
}

Error IoUringFactory::Listen(const Endpoint& address, const SocketOptions& options,
                             OwnedSocket& socket, Endpoint& bound) {
  return ListenSocket(address, options, socket, bound);
}

Error IoUringFactory::OpenSocket(Endpoint::Family family, OwnedSocket& socket) {
  return linux_port::OpenSocket(family, socket);
}

}  // namespace netcore::linux_port
