// An echo server that is nothing but an io_uring loop: multishot accept, multishot recv into a ring
// of provided buffers, and sends straight from those buffers, which go back to the kernel once they
// are sent. One io_uring_enter submits all that a batch of completions led to, and waits.
#include <liburing.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "echo/raw_socket.h"
#include "echo/raw_uring_buffers.h"
#include "echo/raw_uring_connection.h"
#include "echo/server_options.h"

namespace bench {
namespace {

constexpr unsigned kEntries = 4096;
constexpr unsigned kCompletionEntries = 4 * kEntries;
constexpr int kSendFlags = MSG_NOSIGNAL | MSG_WAITALL;  // the kernel goes on after a short send

using Connection = RawUringConnection;

// The low bits of a completion's user_data; the rest is the connection.
enum class Operation : std::uint64_t { kAccept, kRecv, kSend };
constexpr std::uint64_t kOperationMask = 3;

/// Owns: the ring, its sockets. Lifetime: the program's. Threads: one.
class RawUringServer {
 public:
  explicit RawUringServer(const ServerOptions& options) : message_bytes_(options.message_bytes) {
    io_uring_params params{};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                   IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL |
                   IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    params.cq_entries = kCompletionEntries;
    CheckUring(io_uring_queue_init_params(kEntries, &ring_, &params), "io_uring_queue_init");
    CheckUring(io_uring_register_ring_fd(&ring_), "io_uring_register_ring_fd");
    buffers_.emplace(ring_);
    std::uint16_t port = options.port;
    listener_ = Listen(port);
    ArmAccept();
    SayListening(port);
  }

  [[noreturn]] void Run() {
    for (;;) {
      const int result = io_uring_submit_and_wait(&ring_, 1);
      if (result != -EINTR && result != -EBUSY && result != -EAGAIN) {
        CheckUring(result, "io_uring_enter");
      }
      unsigned head;
      unsigned count = 0;
      io_uring_cqe* entry;
      io_uring_for_each_cqe(&ring_, head, entry) {
        Process(*entry);
        ++count;
      }
      io_uring_cq_advance(&ring_, count);
      buffers_->Publish();
      for (; !starved_.empty() && !buffers_->Empty(); starved_.pop_back()) {
        ArmRecv(*starved_.back());
      }
    }
  }

 private:
  io_uring_sqe& NextEntry() {
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    while (entry == nullptr) {
      CheckUring(io_uring_submit(&ring_), "io_uring_enter");
      entry = io_uring_get_sqe(&ring_);
    }
    return *entry;
  }

  static void Mark(io_uring_sqe& entry, Operation operation, const Connection* connection) {
    entry.user_data =
        reinterpret_cast<std::uintptr_t>(connection) | static_cast<std::uint64_t>(operation);
  }

  void ArmAccept() {
    io_uring_sqe& entry = NextEntry();
    io_uring_prep_multishot_accept(&entry, listener_, nullptr, nullptr,
                                   SOCK_NONBLOCK | SOCK_CLOEXEC);
    Mark(entry, Operation::kAccept, nullptr);
  }

  void ArmRecv(Connection& connection) {
    io_uring_sqe& entry = NextEntry();
    io_uring_prep_recv_multishot(&entry, connection.descriptor, nullptr, 0, 0);
    entry.flags |= IOSQE_BUFFER_SELECT;
    entry.buf_group = RawUringBuffers::kGroup;
    Mark(entry, Operation::kRecv, &connection);
    connection.is_receiving = true;
  }

  void Process(const io_uring_cqe& entry) {
    auto* const connection = reinterpret_cast<Connection*>(entry.user_data & ~kOperationMask);
    switch (static_cast<Operation>(entry.user_data & kOperationMask)) {
      case Operation::kAccept:
        return ProcessAccept(entry);
      case Operation::kRecv:
        return ProcessRecv(*connection, entry);
      case Operation::kSend:
        return ProcessSend(*connection, entry);
    }
  }

  void ProcessAccept(const io_uring_cqe& entry) {
    if (entry.res >= 0) {
      SetConnectionOptions(entry.res);
      ArmRecv(*new Connection(entry.res, message_bytes_));
    }
    if ((entry.flags & IORING_CQE_F_MORE) == 0) ArmAccept();
  }

  void ProcessRecv(Connection& connection, const io_uring_cqe& entry) {
    if ((entry.flags & IORING_CQE_F_BUFFER) != 0) {
      const auto id = static_cast<std::uint16_t>(entry.flags >> IORING_CQE_BUFFER_SHIFT);
      Take(connection, id, buffers_->Take(id, static_cast<std::size_t>(std::max(entry.res, 0))));
    }
    if ((entry.flags & IORING_CQE_F_MORE) != 0) return;
    if (entry.res == -ENOBUFS) {
      starved_.push_back(&connection);
    } else if (entry.res > 0 && !connection.is_over) {
      ArmRecv(connection);
    } else {
      connection.is_receiving = false;
      connection.is_over = true;
      FreeIfDone(connection);
    }
  }

  void Take(Connection& connection, std::uint16_t id, std::span<const std::byte> bytes) {
    if (connection.is_over) return buffers_->Return(id);
    std::vector<Connection::Piece>& waiting = connection.waiting;
    const std::size_t first = waiting.size();
    if (message_bytes_ == 0) {
      waiting.push_back({bytes});
    } else {
      connection.cutter.Cut(bytes, [&](std::span<const std::byte> message) {
        waiting.push_back({message});
        if (message.data() >= bytes.data() && message.data() < bytes.data() + bytes.size()) return;
        Connection::Piece& piece = waiting.back();
        piece.own = std::make_unique<std::byte[]>(message.size());
        std::copy(message.begin(), message.end(), piece.own.get());
        piece.bytes = {piece.own.get(), message.size()};
      });
    }
    if (waiting.size() == first) return buffers_->Return(id);
    waiting.back().buffer = id;
    if (connection.sends_in_flight == 0) SendWaiting(connection);
  }

  void SendWaiting(Connection& connection) {
    std::swap(connection.waiting, connection.leaving);
    if (message_bytes_ > 0) {
      SendOneByOne(connection);
    } else if (connection.leaving.size() == 1) {
      Send(connection, connection.leaving.front().bytes);
    } else {
      SendTogether(connection);
    }
  }

  io_uring_sqe& Send(Connection& connection, std::span<const std::byte> bytes) {
    io_uring_sqe& entry = NextEntry();
    io_uring_prep_send(&entry, connection.descriptor, bytes.data(), bytes.size(), kSendFlags);
    Mark(entry, Operation::kSend, &connection);
    ++connection.sends_in_flight;
    connection.bytes_in_flight += bytes.size();
    return entry;
  }

  // A chain, so that they leave in order; one that fails takes the rest with it.
  void SendOneByOne(Connection& connection) {
    if (io_uring_sq_space_left(&ring_) < connection.leaving.size()) {
      CheckUring(io_uring_submit(&ring_), "io_uring_enter");
    }
    for (const Connection::Piece& piece : connection.leaving) {
      io_uring_sqe& entry = Send(connection, piece.bytes);
      if (&piece != &connection.leaving.back()) entry.flags |= IOSQE_IO_LINK;
    }
  }

  // What does not fit into one send waits for the next.
  void SendTogether(Connection& connection) {
    std::vector<Connection::Piece>& leaving = connection.leaving;
    if (leaving.size() > Connection::kMaxSlices) {
      const auto rest = leaving.begin() + static_cast<std::ptrdiff_t>(Connection::kMaxSlices);
      connection.waiting.assign(std::make_move_iterator(rest),
                                std::make_move_iterator(leaving.end()));
      leaving.erase(rest, leaving.end());
    }
    for (std::size_t i = 0; i < leaving.size(); ++i) {
      const std::span<const std::byte> bytes = leaving[i].bytes;
      connection.slices[i] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
      connection.bytes_in_flight += bytes.size();
    }
    connection.header.msg_iov = connection.slices.data();
    connection.header.msg_iovlen = leaving.size();
    io_uring_sqe& entry = NextEntry();
    io_uring_prep_sendmsg(&entry, connection.descriptor, &connection.header, kSendFlags);
    Mark(entry, Operation::kSend, &connection);
    connection.sends_in_flight = 1;
  }

  void ProcessSend(Connection& connection, const io_uring_cqe& entry) {
    connection.bytes_in_flight -= static_cast<std::size_t>(std::max(entry.res, 0));
    if (--connection.sends_in_flight > 0) return;
    for (const Connection::Piece& piece : connection.leaving) Release(piece);
    connection.leaving.clear();
    if (connection.bytes_in_flight > 0 && !connection.is_over) {
      connection.is_over = true;
      ::shutdown(connection.descriptor, SHUT_RDWR);  // ends the recv
    }
    if (connection.is_over) {
      FreeIfDone(connection);
    } else if (!connection.waiting.empty()) {
      SendWaiting(connection);
    }
  }

  void Release(const Connection::Piece& piece) {
    if (piece.buffer >= 0) buffers_->Return(static_cast<std::uint16_t>(piece.buffer));
  }

  void FreeIfDone(Connection& connection) {
    if (connection.is_receiving || connection.sends_in_flight > 0) return;
    for (const Connection::Piece& piece : connection.waiting) Release(piece);
    ::close(connection.descriptor);
    delete &connection;
  }

  const std::size_t message_bytes_;
  io_uring ring_{};
  std::optional<RawUringBuffers> buffers_;
  int listener_ = -1;
  std::vector<Connection*> starved_;  // by a lack of buffers; to be armed again
};

int Main(int argc, char** argv) {
  ServerOptions options;
  if (const auto status = ParseCommandLine(
          "Sends back whatever its clients send; an io_uring loop and nothing else.", argc, argv,
          options)) {
    return *status;
  }
  try {
    RawUringServer(options).Run();
  } catch (const std::exception& error) {
    std::cerr << "raw_uring_server: " << error.what() << std::endl;
    return 1;
  }
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc, argv); }
