#include "tests/port/contract_fixture.h"

#include <algorithm>
#include <iostream>
#include <random>

#include "netcore/sim/memory_factory.h"

namespace netcore::contract {

void Recorder::Dispatch(IocpEvent& event, IoResult& result) noexcept {
  Harness& harness = harness_;
  Op& op = static_cast<Op&>(event);
  harness.BeginCompletion(op, result);
  if (!result.more) {
    ++op.finals;
    op.error = result.error;
    op.bytes = result.bytes;
  }
  Record(op, result);
  if (hook) hook(op, result);
  harness.EndCompletion();
}

void Side::Open(const SocketOptions& options, Endpoint::Family family) {
  OwnedSocket socket;
  const Error error = harness_.Factory().OpenSocket(family, socket);
  INFO(error.Message());
  REQUIRE_FALSE(error);
  Adopt(std::move(socket), options);
}

void Side::Adopt(OwnedSocket socket, const SocketOptions& options) {
  REQUIRE(socket_ == nullptr);
  const Harness::Verb verb(harness_);
  socket_ = port_.Adopt(std::move(socket), options);
  REQUIRE(socket_ != nullptr);
}

void Side::Connect(const Endpoint& peer) {
  const Harness::Verb verb(harness_);
  ++connect.submits;
  connect.cancelled = false;
  port_.SubmitConnect(*socket_, peer, connect);
}

void Side::Recv() {
  const Harness::Verb verb(harness_);
  ++recv.submits;
  recv.cancelled = false;
  paused_ = false;
  port_.SubmitRecv(*socket_, recv);
}

void Side::Pause() {
  const Harness::Verb verb(harness_);
  paused_ = true;
  port_.PauseRecv(*socket_, recv);
}

void Side::Resume() {
  const Harness::Verb verb(harness_);
  paused_ = false;
  port_.ResumeRecv(*socket_, recv);
}

void Side::Send(std::string_view bytes) {
  sending_ = bytes;
  const SendSlice slice = AsBytes(sending_);
  SendSlices({&slice, 1});
}

void Side::SendSlices(std::span<const SendSlice> slices) {
  const Harness::Verb verb(harness_);
  ++send.submits;
  send.cancelled = false;
  send.asked = 0;
  for (const SendSlice& slice : slices) send.asked += slice.size();
  port_.SubmitSend(*socket_, slices, send);
}

std::size_t Side::SendAtOnce(std::string bytes) {
  const Harness::Verb verb(harness_);
  const std::size_t sent = port_.SendAtOnce(*socket_, AsBytes(bytes));
  if (sent > bytes.size()) harness_.Violation("more was sent at once than there was");
  // They are ours again, and the port must not read them any more.
  std::fill(bytes.begin(), bytes.end(), '\xDD');
  return sent;
}

void Side::SendAll(std::string bytes) {
  all_ = std::move(bytes);
  all_sent_ = 0;
  SendNext();
}

void Side::SendNext() {
  const std::string_view rest = std::string_view(all_).substr(all_sent_);
  const SendSlice slice = AsBytes(rest.substr(0, CompletionPort::kMaxSendBytes));
  if (!slice.empty()) SendSlices({&slice, 1});
}

void Side::Shutdown() {
  const Harness::Verb verb(harness_);
  port_.ShutdownSend(*socket_);
}

void Side::Cancel(Op& op) {
  const Harness::Verb verb(harness_);
  op.cancelled = true;
  port_.Cancel(op);
}

void Side::Close(CloseMode mode) {
  const Harness::Verb verb(harness_);
  port_.Close(*std::exchange(socket_, nullptr), mode);
}

bool Side::AnythingPending() const { return connect.Waits() || recv.Waits() || send.Waits(); }

void Side::CancelAll() {
  kept.clear();
  all_.resize(all_sent_);
  for (Op* op : {&connect, &recv, &send}) {
    if (op->Waits()) Cancel(*op);
  }
}

void Side::CloseIfOpen() {
  if (socket_ != nullptr) Close(CloseMode::kAbort);
}

void Side::Record(Op& op, IoResult& result) {
  if (&op == &recv) {
    if (paused_ && !recv.cancelled) harness_.Violation("a completion while recv is paused");
    if (result.more) ++recv_count;
    const std::uint64_t before = received_bytes;
    received_bytes += result.data.size();
    if (keep_received)
      received.append(reinterpret_cast<const char*>(result.data.data()), result.data.size());
    if (keep_memory && !result.data.empty()) {
      if (SendBufferRef buffer = port_.KeepReceived(result.data)) {
        kept.push_back({before, std::move(buffer)});
        return;
      }
    }
    // The handler may change what it was lent; the port must not read it again.
    std::fill(result.data.begin(), result.data.end(), std::byte{0xDD});
  }
  if (&op == &send) {
    if (result.bytes > send.asked) harness_.Violation("more bytes sent than asked");
    if (!result.error && result.bytes != send.asked)
      harness_.Violation("a send completed without error before all its bytes were gone");
    if (all_sent_ < all_.size()) {
      all_sent_ += result.bytes;
      if (!result.error) SendNext();
    }
  }
}

void Acceptor::Adopt(OwnedSocket socket) {
  const Harness::Verb verb(harness_);
  socket_ = port_.Adopt(std::move(socket), {});
  REQUIRE(socket_ != nullptr);
}

void Acceptor::Post(std::size_t count) {
  for (; count > 0; --count) Submit(ops.emplace_back(EventKind::kAccept, *this));
}

void Acceptor::Submit(Op& op) {
  const Harness::Verb verb(harness_);
  ++op.submits;
  op.cancelled = false;
  port_.SubmitAccept(*socket_, op);
}

void Acceptor::Cancel(Op& op) {
  const Harness::Verb verb(harness_);
  op.cancelled = true;
  port_.Cancel(op);
}

void Acceptor::Close() {
  const Harness::Verb verb(harness_);
  port_.Close(*std::exchange(socket_, nullptr), CloseMode::kGraceful);
}

OwnedSocket Acceptor::Take(const Endpoint& client) {
  const auto found = std::find_if(accepted.begin(), accepted.end(),
                                  [&](const Connection& one) { return one.peer == client; });
  INFO("client " << client.ToString());
  REQUIRE(found != accepted.end());
  OwnedSocket socket = std::move(found->socket);
  accepted.erase(found);
  return socket;
}

bool Acceptor::AnythingPending() const {
  return std::any_of(ops.begin(), ops.end(), [](const Op& op) { return op.Waits(); });
}

void Acceptor::CancelAll() {
  repost = false;
  for (Op& op : ops) {
    if (op.Waits()) Cancel(op);
  }
}

void Acceptor::CloseIfOpen() {
  accepted.clear();
  if (socket_ != nullptr) Close();
}

void Acceptor::Record(Op& op, IoResult& result) {
  if (!result.error) {
    AcceptedSocket* const connection = result.accepted;
    if (connection == nullptr || !connection->socket ||
        connection->peer.GetFamily() == Endpoint::Family::kNone) {
      return harness_.Violation("an accept without a socket or without its peer's address");
    }
    accepted.push_back({std::move(connection->socket), connection->peer});
  } else if (result.accepted != nullptr) {
    harness_.Violation("a failed accept with a socket");
  }
  if (result.error == ErrorCode::kConnectionAborted) ++aborted;
  if (result.more) return;
  if (repost && (!result.error || result.error == ErrorCode::kConnectionAborted)) Submit(op);
}

Harness::Harness(PortFactory& factory, std::unique_ptr<CompletionPort> port) : factory_(factory) {
  AddPort(std::move(port));
}

Harness::~Harness() {
  if (!finished_) Drain();
}

CompletionPort& Harness::AddPort(std::unique_ptr<CompletionPort> port) {
  if (port == nullptr) {
    const Error error = factory_.MakePort(port);
    INFO(error.Message());
    REQUIRE_FALSE(error);
  }
  REQUIRE_FALSE(port->AttachThread());
  ports_.push_back(std::move(port));
  return *ports_.back();
}

Side& Harness::NewSide(std::size_t port) {
  auto side = std::make_unique<Side>(*this, Port(port));
  Side& result = *side;
  recorders_.push_back(std::move(side));
  return result;
}

Acceptor& Harness::NewAcceptor(std::size_t accepts, const Endpoint& address,
                               const SocketOptions& options, std::size_t port) {
  auto acceptor = std::make_unique<Acceptor>(*this, Port(port));
  Acceptor& result = *acceptor;
  recorders_.push_back(std::move(acceptor));
  OwnedSocket socket;
  const Error error = factory_.Listen(address, options, socket, result.bound);
  INFO(error.Message());
  REQUIRE_FALSE(error);
  result.Adopt(std::move(socket));
  result.Post(accepts);
  return result;
}

Pair Harness::NewPair(const SocketOptions& options, std::size_t client_port) {
  Acceptor& acceptor = NewAcceptor(1, Endpoint::LoopbackIpv4(0), options);
  acceptor.repost = false;
  Side& client = NewSide(client_port);
  client.Open(options);
  client.Connect(acceptor.bound);
  RunUntil("a pair connects",
           [&] { return !client.connect.Waits() && !acceptor.AnythingPending(); });
  REQUIRE_FALSE(client.connect.error);
  REQUIRE_FALSE(acceptor.ops.front().error);
  Side& server = NewSide();
  server.Adopt(acceptor.Take(client.Local()), options);
  acceptor.Close();
  return {client, server};
}

std::size_t Harness::Dispatch(Duration timeout, std::size_t port) {
  const std::size_t before = completions_;
  ++dispatches_;
  const std::size_t handled = Port(port).Dispatch(timeout);
  --dispatches_;
  if (handled != completions_ - before) Violation("Dispatch returned a wrong count");
  return handled;
}

std::size_t Harness::HandOutReady() {
  const std::size_t before = completions_;
  ++dispatches_;
  const std::size_t handled = Port().HandOutReady();
  --dispatches_;
  if (handled != completions_ - before) Violation("HandOutReady returned a wrong count");
  return handled;
}

std::size_t Harness::DispatchUncounted(Duration timeout) {
  ++dispatches_;
  const std::size_t handled = Port().Dispatch(timeout);
  --dispatches_;
  return handled;
}

void Harness::RunOnce(Duration timeout) {
  std::size_t handled = 0;
  for (std::size_t port = 1; port < ports_.size(); ++port)
    handled += Dispatch(Duration::zero(), port);
  if (ports_.size() > 1) timeout = milliseconds(1);
  Dispatch(handled > 0 ? Duration::zero() : timeout);
}

void Harness::RunFor(Duration time) {
  const TimePoint end = Port().Now() + time;
  while (Port().Now() < end) RunOnce(milliseconds(5));
  CheckRules();
}

void Harness::Finish() {
  finished_ = true;
  const bool drained = Drain();
  CHECK(drained);
  CheckRules();
}

void Harness::BeginCompletion(const Op& op, const IoResult& result) {
  ++completions_;
  if (std::this_thread::get_id() != thread_) Violation("a completion on another thread");
  if (verbs_ > 0 && completing_ == 0) Violation("a completion inside a verb");
  if (dispatches_ == 0) Violation("a completion outside Dispatch");
  if (completing_++ > 0) Violation("a completion inside another one");
  if (!op.Waits()) Violation("a completion of an event that is not pending");
  if (op.IsPending() != result.more) Violation("IsPending is wrong inside a completion");
  const bool has_bytes = op.Kind() == EventKind::kRecv && !result.data.empty() && !result.error;
  const bool was_aborted =
      op.Kind() == EventKind::kAccept && result.error == ErrorCode::kConnectionAborted;
  if (result.more && !has_bytes && !was_aborted)
    Violation("`more` on something else than bytes of a recv stream or an aborted connection");
  if (!result.more && !result.data.empty()) Violation("bytes in a final completion");
  if (result.data.size() > CompletionPort::kMaxRecvBytes) Violation("too many bytes lent");
  if (result.error == ErrorCode::kCancelled && !op.cancelled)
    Violation("kCancelled without a Cancel");
}

void Harness::CheckRules() const {
  for (const std::string& violation : violations_) FAIL_CHECK(violation);
  if (!violations_.empty()) FAIL("the port broke a rule");
}

// False when an event does not complete: what the port may still touch is then left alone for ever.
bool Harness::Drain() {
  for (const auto& recorder : recorders_) {
    recorder->hook = nullptr;
    recorder->CancelAll();
  }
  const auto pending = [](const auto& recorder) { return recorder->AnythingPending(); };
  const TimePoint end = Port().Now() + kLimit;
  while (std::any_of(recorders_.begin(), recorders_.end(), pending)) {
    if (Port().Now() >= end) {
      std::cerr << factory_.Name() << ": a cancelled event never completed\n";
      for (auto& recorder : recorders_) static_cast<void>(recorder.release());
      for (auto& port : ports_) static_cast<void>(port.release());
      recorders_.clear();
      return false;
    }
    RunOnce(milliseconds(5));
  }
  for (const auto& recorder : recorders_) recorder->CloseIfOpen();
  ports_.clear();
  recorders_.clear();
  return true;
}

const std::vector<std::unique_ptr<PortFactory>>& Backends() {
  static const std::vector<std::unique_ptr<PortFactory>> backends = [] {
    std::vector<std::unique_ptr<PortFactory>> made;
    const auto log = std::make_shared<const Log>();
    for (const Backend backend : {Backend::kIocp, Backend::kIoUring, Backend::kEpoll}) {
      std::unique_ptr<PortFactory> factory;
      const Error error = MakePortFactory(backend, log, factory);
      if (!error) {
        made.push_back(std::move(factory));
      } else if (!(error == ErrorCode::kNotSupported)) {
        std::cerr << "contract: " << ToString(backend) << " is missing: " << error.Message()
                  << '\n';
      }
    }
    made.push_back(std::make_unique<MemoryFactory>());
    return made;
  }();
  return backends;
}

std::string RandomBytes(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random() & 0xFF);
  return bytes;
}

bool SameBytes(const std::string& got, const std::string& expected) {
  if (got == expected) return true;
  const auto [at, unused] = std::mismatch(
      got.begin(), got.begin() + static_cast<std::ptrdiff_t>(std::min(got.size(), expected.size())),
      expected.begin());
  UNSCOPED_INFO("got " << got.size() << " bytes, expected " << expected.size()
                       << ", the first difference is at " << (at - got.begin()));
  return false;
}

std::uint32_t NewSeed() { return std::random_device{}(); }

}  // namespace netcore::contract
