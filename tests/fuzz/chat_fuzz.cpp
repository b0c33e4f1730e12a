// The chat's protocol: any bytes of a stranger, in any pieces, to a whole chat server with an
// honest client in its lobby. Every request has one answer, the same ones in whatever pieces the
// bytes came; nobody ever gets a packet that is not well formed, or text that is not UTF-8 or has
// control characters; and in the end nothing is left of the stranger.
//
// An input is the pieces, and then the stream.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/chat.h"
#include "netcore/session/packet_session.h"
#include "netcore/sim/simulate.h"
#include "tests/fuzz/fuzz_support.h"
#include "tests/support/packet_reference.h"

namespace netcore {
namespace {

using samples::chat::PacketType;
using std::chrono::milliseconds;

constexpr int kPort = 7000;

struct Answer {
  PacketType type;
  std::string payload;

  friend bool operator==(const Answer&, const Answer&) = default;
};
using Answers = std::vector<Answer>;

// Decoded by hand: the server must not be its own judge.
bool IsCleanText(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = [&](std::size_t place) {
      return place < text.size() ? static_cast<unsigned char>(text[place]) : 0U;
    };
    const std::uint32_t first = byte(at);
    std::size_t more = 0;
    if (first >= 0xf0) {
      more = 3;
    } else if (first >= 0xe0) {
      more = 2;
    } else if (first >= 0xc0) {
      more = 1;
    }
    if (first >= 0xf8 || (first >= 0x80 && more == 0)) return false;
    std::uint32_t point = more == 0 ? first : first & (0x3fU >> more);
    for (std::size_t index = 1; index <= more; ++index) {
      const std::uint32_t next = byte(at + index);
      if ((next & 0xc0U) != 0x80) return false;
      point = point << 6U | (next & 0x3fU);
    }
    constexpr std::uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
    if (point < kLeast[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
      return false;
    }
    if (point < 0x20 || (point >= 0x7f && point < 0xa0)) return false;
    at += 1 + more;
  }
  return true;
}

void CheckLines(std::string_view text, char also) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string line(text.substr(0, end));
    std::replace(line.begin(), line.end(), also, ' ');
    FUZZ_REQUIRE(IsCleanText(line) && !line.empty());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// What docs/chat-protocol.md says of each packet that a server sends.
void CheckForm(const Answer& answer) {
  const auto payload = samples::chat::BytesOf(answer.payload);
  switch (answer.type) {
    case PacketType::kChat:
    case PacketType::kEarlier: {
      const auto line = samples::chat::ParseLine(payload);
      FUZZ_REQUIRE(line && !line->name.empty() && !line->text.empty());
      FUZZ_REQUIRE(line->text.size() <= samples::chat::kMaxTextBytes);
      return FUZZ_REQUIRE(IsCleanText(answer.payload));
    }
    case PacketType::kPrivate: {
      const auto line = samples::chat::ParsePrivate(payload);
      FUZZ_REQUIRE(line && !line->name.empty() && !line->text.empty());
      return FUZZ_REQUIRE(IsCleanText(line->name) && IsCleanText(line->text));
    }
    case PacketType::kNotice: {
      const bool is_news = answer.payload.starts_with(samples::chat::kNews);
      FUZZ_REQUIRE(is_news == samples::chat::CodeOfNotice(answer.payload).empty());
      return FUZZ_REQUIRE(IsCleanText(answer.payload));
    }
    case PacketType::kSetName:
    case PacketType::kJoin:
      return FUZZ_REQUIRE(!answer.payload.empty() && IsCleanText(answer.payload));
    case PacketType::kList:
      FUZZ_REQUIRE(samples::chat::ParseRooms(payload).has_value());
      return CheckLines(answer.payload, '\t');
    case PacketType::kWho:
      FUZZ_REQUIRE(samples::chat::ParseNames(payload).has_value());
      return CheckLines(answer.payload, ' ');
    case PacketType::kPing:
      return;  // whatever was sent comes back
    default:
      FUZZ_REQUIRE(false);
  }
}

class Client final : public PacketSession {
 public:
  Client() : PacketSession(samples::chat::AnswerFormat()) {}

  const Answers& Received() const noexcept { return received_; }
  const Answers& Pongs() const noexcept { return pongs_; }

 private:
  void OnPacket(const PacketView& packet) override {
    Answer answer{static_cast<PacketType>(packet.type),
                  std::string(samples::chat::TextOf(packet.payload))};
    CheckForm(answer);
    // They may overtake.
    (answer.type == PacketType::kPing ? pongs_ : received_).push_back(std::move(answer));
  }
  void OnDisconnected(const CloseInfo& info) override {
    FUZZ_REQUIRE(info.reason != CloseReason::kBadLength && info.reason != CloseReason::kTruncated);
  }

  Answers received_;
  Answers pongs_;
};

struct Outcome {
  Answers stranger{};
  Answers pongs{};
  Answers listener{};
};

Outcome RunChat(std::span<const std::byte> stream, std::span<const std::size_t> pieces) {
  Outcome outcome;
  SimOptions options;
  options.faults = false;
  options.server_workers = 2;
  options.client_workers = 1;
  options.logic_threads = 2;
  const SimReport report = Simulate(
      1,
      [&](SimWorld& world) {
        const auto chat =
            std::make_shared<samples::chat::Chat>(world.Logic(), samples::chat::ChatOptions());
        SessionOptions session;
        session.on_peer_close = PeerClose::kKeepOpen;
        session.max_send_queue_bytes = std::size_t{64} * 1024 * 1024;
        Service& service = world.Listen(kPort, chat->Sessions(), session);
        const auto connect = [&] {
          auto client = std::make_shared<Client>();
          FUZZ_REQUIRE(!world.Connect(kPort, client));
          FUZZ_REQUIRE(world.RunUntil([&] { return client->IsConnected(); }));
          world.RunFor(milliseconds(5));  // it is in the lobby
          return client;
        };
        const auto listener = connect();
        const auto stranger = connect();
        for (std::size_t at = 0, piece = 0; at < stream.size(); ++piece) {
          std::size_t size = stream.size() - at;
          if (piece < pieces.size()) size = std::min(size, pieces[piece]);
          static_cast<void>(stranger->Send(stream.subspan(at, size)));
          at += size;
          if (size % 2 == 0) world.RunFor(milliseconds(1));
        }
        world.RunFor(milliseconds(200));
        outcome = {stranger->Received(), stranger->Pongs(), listener->Received()};
        FUZZ_REQUIRE(listener->IsConnected());
        stranger->Disconnect();
        FUZZ_REQUIRE(world.RunUntil([&] {
          return service.Stats().sessions == 1 && chat->Stats().names == 1 &&
                 chat->Stats().rooms == 1;
        }));
        chat->Stop();
      },
      options);
  if (!report.Ok()) static_cast<void>(std::fprintf(stderr, "%s\n", report.Text().c_str()));
  FUZZ_REQUIRE(report.Ok());
  return outcome;
}

bool IsBeginning(const Answers& one, const Answers& two) {
  const std::size_t both = std::min(one.size(), two.size());
  return std::ranges::equal(std::span(one).first(both), std::span(two).first(both));
}

void CheckOneAnswerEach(const test::ReferenceStream& sent, const Outcome& outcome) {
  std::size_t requests = 0;
  std::vector<std::string> pings;
  for (const test::ReferencePacket& packet : sent.packets) {
    if (static_cast<PacketType>(packet.type) != PacketType::kPing) {
      ++requests;
    } else if (!packet.payload.empty()) {
      pings.emplace_back(samples::chat::TextOf(packet.payload));
    }
  }
  const auto answers =
      std::count_if(outcome.stranger.begin(), outcome.stranger.end(), [](const Answer& answer) {
        return answer.type != PacketType::kEarlier && answer.type != PacketType::kPrivate;
      });
  FUZZ_REQUIRE(static_cast<std::size_t>(answers) == requests);
  FUZZ_REQUIRE(outcome.pongs.size() == pings.size());
  for (std::size_t index = 0; index < pings.size(); ++index) {
    FUZZ_REQUIRE(outcome.pongs[index].payload == pings[index]);
  }
}

void Run(fuzz::Decisions decisions) {
  std::vector<std::size_t> pieces(decisions.Below(16));
  for (std::size_t& piece : pieces) piece = 1 + decisions.Byte();
  std::vector<std::byte> stream;
  while (!decisions.Empty()) stream.push_back(static_cast<std::byte>(decisions.Byte()));
  const test::ReferenceStream sent = test::ReferenceDecode(samples::chat::RequestFormat(), stream);
  const Outcome whole = RunChat(stream, {});
  const Outcome cut = pieces.empty() ? whole : RunChat(stream, pieces);
  if (sent.end == test::StreamEnd::kBadLength) {
    // Hung up on: how much was answered by then depends on the pieces.
    FUZZ_REQUIRE(IsBeginning(whole.stranger, cut.stranger));
    return FUZZ_REQUIRE(IsBeginning(whole.listener, cut.listener));
  }
  FUZZ_REQUIRE(whole.stranger == cut.stranger);
  FUZZ_REQUIRE(whole.listener == cut.listener);
  CheckOneAnswerEach(sent, whole);
}

}  // namespace
}  // namespace netcore

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  netcore::Run(netcore::fuzz::Decisions({data, size}));
  return 0;
}
