// What only the memory port promises: its clock, its bounds, and that a run repeats itself.
#include <string>

#include "netcore/sim/memory_factory.h"
#include "tests/port/contract_fixture.h"

namespace netcore::contract {
namespace {

TEST_CASE("an idle Dispatch lets virtual time pass, a busy one does not", "[memory]") {
  MemoryFactory factory;
  Harness harness(factory);
  const TimePoint begin = harness.Port().Now();
  CHECK(harness.Dispatch(std::chrono::hours(1)) == 0);
  CHECK(harness.Port().Now() - begin == std::chrono::hours(1));
  auto [client, server] = harness.NewPair();
  server.Recv();
  harness.Dispatch(Duration::zero());
  client.Send("x");
  const TimePoint before = harness.Port().Now();
  CHECK(harness.Dispatch(std::chrono::hours(1)) > 0);
  CHECK(harness.Port().Now() == before);
  harness.Finish();
}

TEST_CASE("a Dispatch for ever returns when nothing can happen any more", "[memory]") {
  MemoryFactory factory;
  Harness harness(factory);
  auto [client, server] = harness.NewPair();
  server.Recv();
  const TimePoint before = harness.Port().Now();
  CHECK(harness.Dispatch(Duration::max()) == 0);
  CHECK(harness.Port().Now() == before);
  harness.Finish();
}

TEST_CASE("a woken Dispatch lets no time pass", "[memory]") {
  MemoryFactory factory;
  Harness harness(factory);
  const TimePoint before = harness.Port().Now();
  harness.Port().Wake();
  CHECK(harness.Dispatch(std::chrono::hours(1)) == 0);
  CHECK(harness.Port().Now() == before);
  harness.Finish();
}

TEST_CASE("a connect to a full backlog waits for an accept", "[memory]") {
  MemoryFactory factory;
  Harness harness(factory);
  Acceptor& acceptor = harness.NewAcceptor(0);
  std::vector<Side*> clients;
  for (std::size_t count = 0; count < MemoryNet::kBacklog + 3; ++count) {
    clients.push_back(&harness.NewSide());
    clients.back()->Open();
    clients.back()->Connect(acceptor.bound);
  }
  harness.RunFor(milliseconds(50));
  for (std::size_t index = 0; index < clients.size(); ++index)
    CHECK(clients[index]->connect.Waits() == (index >= MemoryNet::kBacklog));

  // One gives up, one gets the place of the first that is accepted, one is refused at the end.
  Side& gives_up = *clients[MemoryNet::kBacklog];
  gives_up.Cancel(gives_up.connect);
  harness.RunUntil("the cancel", [&] { return !gives_up.connect.Waits(); });
  CHECK(gives_up.connect.error == ErrorCode::kCancelled);
  acceptor.repost = false;
  acceptor.Post(1);
  Side& next = *clients[MemoryNet::kBacklog + 1];
  harness.RunUntil("the next connect", [&] { return !next.connect.Waits(); });
  CHECK_FALSE(next.connect.error);
  Side& last = *clients[MemoryNet::kBacklog + 2];
  CHECK(last.connect.Waits());
  acceptor.Close();
  harness.RunUntil("the refusal", [&] { return !last.connect.Waits(); });
  CHECK(last.connect.error == ErrorCode::kConnectionRefused);
  harness.Finish();
}

TEST_CASE("a client that resets in the backlog is told to an accept that stays posted",
          "[memory]") {
  MemoryFactory factory;
  Harness harness(factory);
  Acceptor& acceptor = harness.NewAcceptor(0);
  Side& client = harness.NewSide();
  client.Open();
  client.Connect(acceptor.bound);
  harness.RunUntil("the connect", [&] { return !client.connect.Waits(); });
  client.Close(CloseMode::kAbort);
  acceptor.repost = false;
  acceptor.Post(1);
  harness.RunUntil("the abort", [&] { return acceptor.aborted == 1; });
  CHECK(acceptor.ops.front().Waits());
  Side& next = harness.NewSide();
  next.Open();
  next.Connect(acceptor.bound);
  harness.RunUntil("the accept", [&] { return !acceptor.AnythingPending(); });
  CHECK(acceptor.accepted.size() == 1);
  harness.Finish();
}

TEST_CASE("a close by the rules of TCP resets where bytes lie unread, so the port drops them first",
          "[memory]") {
  const auto net = std::make_shared<MemoryNet>();
  const bool drops_first = GENERATE(false, true);
  MemorySocket listener(net, Endpoint::Family::kIpv4);
  REQUIRE_FALSE(listener.Listen(Endpoint::LoopbackIpv4(0)));
  const auto peer = std::make_unique<MemorySocket>(net, Endpoint::Family::kIpv4);
  static_cast<void>(peer->Connect(listener.Local()));
  std::unique_ptr<MemorySocket> ours;
  static_cast<void>(listener.Accept(ours));
  REQUIRE(ours != nullptr);
  REQUIRE(peer->GetState() == MemorySocket::State::kConnected);
  const std::string bytes = "unread";
  CHECK(peer->Send(test::AsBytes(bytes)).bytes == bytes.size());
  if (drops_first) ours->DropUnread();
  ours->Close(CloseMode::kGraceful);
  std::array<std::byte, 16> into;
  const MemoryResult end = peer->Recv(into);
  CHECK(end.error.Code() == (drops_first ? ErrorCode::kNone : ErrorCode::kConnectionReset));
  CHECK(end.bytes == 0);
  CHECK_FALSE(end.blocked);
}

TEST_CASE("a buffer size bounds what is on the way", "[memory]") {
  MemoryFactory factory;
  Harness harness(factory);
  SocketOptions options;
  options.send_buffer_bytes = 100;
  auto [client, server] = harness.NewPair(options);
  client.Send(std::string(1000, 'x'));
  harness.RunFor(milliseconds(5));
  CHECK(client.send.Waits());
  client.Cancel(client.send);
  harness.RunUntil("the cancel", [&] { return !client.send.Waits(); });
  CHECK(client.send.bytes == 100);
  server.Recv();
  harness.RunUntil("the bytes", [&] { return server.received.size() == 100; });
  harness.Finish();
}

TEST_CASE("ports that clients held are given back", "[memory]") {
  MemoryFactory factory;
  Harness harness(factory);
  Acceptor& acceptor = harness.NewAcceptor(1);
  Side& client = harness.NewSide();
  std::size_t failed = 0;
  for (int count = 0; count < 20000; ++count) {  // there are 16,384
    client.Open();
    client.Connect(acceptor.bound);
    while (client.connect.Waits() || acceptor.accepted.empty()) harness.Dispatch(milliseconds(1));
    failed += client.connect.error ? 1 : 0;
    acceptor.accepted.clear();
    client.Close(CloseMode::kAbort);
  }
  CHECK(failed == 0);
  harness.Finish();
}

TEST_CASE("two nets know nothing of each other", "[memory]") {
  MemoryFactory here;
  MemoryFactory there;
  Harness harness(here);
  Harness elsewhere(there);
  Acceptor& acceptor = harness.NewAcceptor(1);
  Side& client = elsewhere.NewSide();
  client.Open();
  client.Connect(acceptor.bound);
  elsewhere.RunUntil("the refusal", [&] { return !client.connect.Waits(); });
  CHECK(client.connect.error == ErrorCode::kConnectionRefused);
  elsewhere.Finish();
  harness.Finish();
}

// What completes, in which order, at what time.
std::string Trace() {
  MemoryFactory factory;
  Harness harness(factory);
  std::string trace;
  SocketOptions options;
  options.send_buffer_bytes = 3000;
  std::vector<Pair> pairs;
  for (int count = 0; count < 10; ++count) pairs.push_back(harness.NewPair(options));
  for (std::size_t index = 0; index < pairs.size(); ++index) {
    pairs[index].server.hook = [&trace, &harness, index](Op& op, IoResult& result) {
      trace += std::to_string(index) + (op.Kind() == EventKind::kRecv ? "r" : "s") +
               std::to_string(result.data.size()) + "@" +
               std::to_string(harness.Port().Now().time_since_epoch().count()) + " ";
    };
    pairs[index].server.Recv();
    pairs[index].client.SendAll(RandomBytes(1000 * (index + 1), 50));
    pairs[index].server.Send(std::string(500 * (index + 1), 'y'));
  }
  harness.RunFor(milliseconds(50));
  for (const Pair& pair : pairs) pair.server.hook = nullptr;
  harness.Finish();
  return trace;
}

TEST_CASE("a run repeats itself exactly", "[memory]") {
  const std::string first = Trace();
  CHECK(first.size() > 100);
  const std::string second = Trace();
  CHECK(SameBytes(second, first));
}

}  // namespace
}  // namespace netcore::contract
