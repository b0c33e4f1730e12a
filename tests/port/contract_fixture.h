// What the contract suite drives a port with: every backend of this machine in turn, sockets that
// record what completes on them, and a harness that checks the rules of the seam at every single
// completion, whatever the test is about.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "netcore/port/completion_port.h"
#include "netcore/port/port_factory.h"
#include "tests/support/bytes.h"
#include "tests/support/catch.h"
#include "tests/support/limits.h"

namespace netcore::contract {

using test::AsBytes;

using std::chrono::milliseconds;

inline constexpr Duration kLimit = test::kWaitLimit;  // for what must happen

class Harness;

/// An event and what became of it.
class Op final : public IocpEvent {
 public:
  using IocpEvent::IocpEvent;

  std::size_t submits = 0;
  std::size_t finals = 0;
  bool cancelled = false;  // since the last submit
  std::size_t asked = 0;   // bytes of a send
  Error error;             // of the last final completion, as is what follows
  std::size_t bytes = 0;

  bool Waits() const { return submits > finals; }
};

/// Owns events. Hands each completion to the harness, which checks it, before anything else.
class Recorder : public IocpObject {
 public:
  explicit Recorder(Harness& harness) : harness_(harness) {}
  virtual ~Recorder() = default;

  void Dispatch(IocpEvent& event, IoResult& result) noexcept final;

  /// Runs inside every completion, after it was recorded.
  std::function<void(Op&, IoResult&)> hook;

  virtual bool AnythingPending() const = 0;
  virtual void CancelAll() = 0;
  virtual void CloseIfOpen() = 0;

 protected:
  virtual void Record(Op& op, IoResult& result) = 0;

  Harness& harness_;
};

/// One end of a connection.
class Side final : public Recorder {
 public:
  Side(Harness& harness, CompletionPort& port) : Recorder(harness), port_(port) {}

  void Open(const SocketOptions& options = {}, Endpoint::Family family = Endpoint::Family::kIpv4);
  void Adopt(OwnedSocket socket, const SocketOptions& options = {});
  void Connect(const Endpoint& peer);
  void Recv();
  void Pause();
  void Resume();
  void Send(std::string_view bytes);                   // keeps a copy; at most kMaxSendBytes
  void SendSlices(std::span<const SendSlice> slices);  // the bytes stay the test's
  void SendAll(std::string bytes);                     // in as many sends as it takes
  std::size_t SendAtOnce(std::string bytes);           // keeps nothing; returns what has left
  void Shutdown();
  void Cancel(Op& op);
  void Close(CloseMode mode = CloseMode::kGraceful);

  bool IsOpen() const { return socket_ != nullptr; }
  bool SentAll() const { return all_.size() == all_sent_ && !send.Waits(); }
  std::size_t AllSentBytes() const { return all_sent_; }
  Endpoint Local() const { return port_.LocalEndpoint(*socket_); }
  CompletionPort& Port() const { return port_; }

  /// The peer closed its write side, and nothing else happened.
  bool SawEnd() const { return recv.submits > 0 && !recv.Waits() && !recv.error; }

  bool AnythingPending() const override;
  void CancelAll() override;
  void CloseIfOpen() override;

  Op connect{EventKind::kConnect, *this};
  Op recv{EventKind::kRecv, *this};
  Op send{EventKind::kSend, *this};
  std::string received;        // all that ever came
  std::size_t recv_count = 0;  // completions that brought bytes
  bool keep_received = true;   // false: only count

  /// What KeepReceived made of the received bytes, and how many had come before each.
  struct Kept {
    std::uint64_t offset;
    SendBufferRef buffer;
  };
  bool keep_memory = false;  // asks for it
  std::vector<Kept> kept;
  std::uint64_t received_bytes = 0;

 private:
  void Record(Op& op, IoResult& result) override;
  void SendNext();

  CompletionPort& port_;
  PortSocket* socket_ = nullptr;
  bool paused_ = false;
  std::string sending_;
  std::string all_;  // of SendAll
  std::size_t all_sent_ = 0;
};

/// A listener with some accepts posted.
class Acceptor final : public Recorder {
 public:
  struct Connection {
    OwnedSocket socket;
    Endpoint peer;
  };

  Acceptor(Harness& harness, CompletionPort& port) : Recorder(harness), port_(port) {}

  void Adopt(OwnedSocket socket);

  /// Posts `count` more events.
  void Post(std::size_t count);
  void Submit(Op& op);
  void Cancel(Op& op);
  void Close();

  /// The connection of `client`, which must have been accepted.
  OwnedSocket Take(const Endpoint& client);

  bool AnythingPending() const override;
  void CancelAll() override;
  void CloseIfOpen() override;

  Endpoint bound;
  std::deque<Op> ops;
  std::deque<Connection> accepted;
  std::size_t aborted = 0;  // connections that were gone first
  bool repost = true;       // an event that accepted, or whose connection was gone

 private:
  void Record(Op& op, IoResult& result) override;

  CompletionPort& port_;
  PortSocket* socket_ = nullptr;
};

struct Pair {
  Side& client;
  Side& server;
};

/// One backend, one test.
class Harness {
 public:
  /// `port` belongs to no thread yet; without one the harness makes it.
  explicit Harness(PortFactory& factory, std::unique_ptr<CompletionPort> port = nullptr);
  ~Harness();

  PortFactory& Factory() { return factory_; }
  CompletionPort& Port(std::size_t index = 0) { return *ports_[index]; }
  std::string_view Name() const { return factory_.Name(); }
  bool IsMemory() const { return Name() == "memory"; }
  CompletionPort& AddPort(std::unique_ptr<CompletionPort> port = nullptr);

  Side& NewSide(std::size_t port = 0);
  Acceptor& NewAcceptor(std::size_t accepts, const Endpoint& address = Endpoint::LoopbackIpv4(0),
                        const SocketOptions& options = {}, std::size_t port = 0);

  /// Two sides that are connected, adopted and idle, the server's on the first port. `options` are
  /// the server's too.
  Pair NewPair(const SocketOptions& options = {}, std::size_t client_port = 0);

  /// One Dispatch, whose return value is checked.
  std::size_t Dispatch(Duration timeout, std::size_t port = 0);

  /// One HandOutReady of the first port.
  std::size_t HandOutReady();

  /// The same where completions go to owners that are no recorders.
  std::size_t DispatchUncounted(Duration timeout);

  /// Dispatches all ports until `condition` holds; the test fails if it does not within the limit.
  template <typename Condition>
  void RunUntil(const char* what, Condition&& condition, Duration limit = kLimit) {
    const TimePoint end = Port().Now() + limit;
    while (!condition() && violations_.empty()) {
      if (Port().Now() >= end) FAIL("did not happen in time: " << what);
      RunOnce(milliseconds(10));
    }
    CheckRules();
  }

  /// Dispatches for so long: whatever must not happen has the chance to.
  void RunFor(Duration time);

  /// Cancels and closes everything, then checks the rules. Once, at the end.
  void Finish();

  // For recorders.
  class Verb {
   public:
    explicit Verb(Harness& harness) : harness_(harness) { ++harness_.verbs_; }
    ~Verb() { --harness_.verbs_; }

   private:
    Harness& harness_;
  };
  void BeginCompletion(const Op& op, const IoResult& result);
  void EndCompletion() { --completing_; }
  void Violation(const char* text) { violations_.emplace_back(text); }

 private:
  void RunOnce(Duration timeout);
  void CheckRules() const;
  bool Drain();

  PortFactory& factory_;
  std::vector<std::unique_ptr<CompletionPort>> ports_;
  std::vector<std::unique_ptr<Recorder>> recorders_;
  std::vector<std::string> violations_;
  std::thread::id thread_ = std::this_thread::get_id();
  int verbs_ = 0;       // running
  int dispatches_ = 0;  // running
  int completing_ = 0;  // handlers running
  std::size_t completions_ = 0;
  bool finished_ = false;
};

/// The backends of this machine and the memory port, made once.
const std::vector<std::unique_ptr<PortFactory>>& Backends();

/// Runs `body(harness)` on each backend, as a section of its own named after it.
template <typename Body>
void ForEachBackend(Body&& body, bool with_memory = true) {
  for (const auto& factory : Backends()) {
    if (!with_memory && factory->Name() == "memory") continue;
    DYNAMIC_SECTION(factory->Name()) {
      Harness harness(*factory);
      body(harness);
      harness.Finish();
    }
  }
}

/// Bytes that repeat nowhere near, the same for the same seed.
std::string RandomBytes(std::size_t count, std::uint32_t seed);

/// Compares without printing megabytes.
bool SameBytes(const std::string& got, const std::string& expected);

std::uint32_t NewSeed();

}  // namespace netcore::contract

/// So that a failed check says which error came.
template <>
struct Catch::StringMaker<netcore::Error> {
  static std::string convert(const netcore::Error& error) {
    return error ? error.Message() : std::string("no error");
  }
};

template <>
struct Catch::StringMaker<netcore::ErrorCode> {
  static std::string convert(netcore::ErrorCode code) { return std::string(ToString(code)); }
};
