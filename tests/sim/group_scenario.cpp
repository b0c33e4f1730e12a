// The scenario "groups": members of several groups come, speak, leave and go, and each of them must
// hear what was said to it while it was there: all of it, in order, and nothing else.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "tests/sim/failing_new.h"
#include "tests/sim/scenario_parts.h"
#include "tests/sim/scenarios.h"

namespace netcore::test {
namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t kGroups = 5;

class Member;
class Hearer;

// One message: its number, then bytes that follow from it.
struct Said {
  std::uint32_t number;
  std::size_t size;

  std::byte At(std::size_t place) const {
    if (place < 4) return static_cast<std::byte>((number >> (8 * place)) & 0xffU);
    return static_cast<std::byte>((number * 0x9e3779b9U + place * 0x85ebca6bU) >> 13U);
  }
};

// What a member must hear, and how far its client has heard it. Everything is called by one thread,
// so the order of the calls is the order in which it must come.
struct Script {
  std::vector<Said> lines;
  std::size_t line = 0;
  std::size_t place = 0;
  bool closed = false;       // it was disconnected by us: nothing more is said to it
  bool ended_by_us = false;  // and that was the reason, and all was sent
  std::weak_ptr<Member> member;

  bool IsHeard() const { return line == lines.size(); }
};

struct Hall : std::enable_shared_from_this<Hall> {
  explicit Hall(SimWorld& its_world) : world(its_world) {}

  SimWorld& world;
  std::shared_ptr<SessionManager> manager{};
  std::vector<std::shared_ptr<Member>> members{};  // from OnConnected to OnDisconnected
  std::vector<std::shared_ptr<Hearer>> hearers{};
  std::vector<std::shared_ptr<Script>> scripts{};  // by number, from 1 on
  std::uint32_t said = 0;
  std::uint32_t mischief = 0;  // one in so many hooks does something at random; 0: none
  bool PeersWereCut() const {
    const FaultPlan::Counts& counts = world.Faults().GetCounts();
    return counts[static_cast<std::size_t>(Fault::kPeerFin)] > 0 ||
           counts[static_cast<std::size_t>(Fault::kPeerReset)] > 0;
  }
};
using HallRef = std::shared_ptr<Hall>;

// A server's session. Its first four bytes are the number of its script.
class Member final : public Session {
 public:
  explicit Member(HallRef hall) : hall_(std::move(hall)) {}

  std::shared_ptr<Member> Self() { return std::static_pointer_cast<Member>(shared_from_this()); }
  Script& GetScript() { return *script_; }
  bool IsIn(std::uint32_t group) const { return groups_.count(group) > 0; }

  void Join(std::uint32_t group) {
    if (!hall_->manager->Join(GroupId{group}, Self())) return;
    const OwnWork own;
    groups_.insert(group);
  }
  void Leave(std::uint32_t group) {
    hall_->manager->Leave(GroupId{group}, Id());
    const OwnWork own;
    groups_.erase(group);
  }
  void LeaveAll() {
    hall_->manager->LeaveAll(Self());
    const OwnWork own;
    groups_.clear();
  }
  void End(Closing closing) {
    script_->closed = true;
    Disconnect(CloseReason::kKicked, closing);
  }
  void HalfClose() {
    script_->closed = true;
    ShutdownSend();
  }
  bool IsSettled() const { return settled_; }
  void Hear(const Said& said) {
    const OwnWork own;
    if (!script_->closed) script_->lines.push_back(said);
  }

 private:
  void OnConnected() override;
  void OnRecv(std::span<std::byte> bytes) override;
  void OnSend(std::size_t bytes) override;
  void OnPeerClosed() override { End(Closing::kGraceful); }
  void OnDisconnected(const CloseInfo& info) override;
  void Mischief();

  const HallRef hall_;
  std::shared_ptr<Script> script_;
  std::set<std::uint32_t> groups_;
  bool settled_ = false;  // OnConnected has returned
};

// A client: hears, now and then says a byte that makes the member's hooks come, or stops reading.
class Hearer final : public Session {
 public:
  explicit Hearer(HallRef hall) : hall_(std::move(hall)) {}

  // Nothing is missing, as far as its member is still there to say more.
  bool IsServed() const {
    if (ended_ || cut_ || left_ || script_ == nullptr) return true;
    const std::shared_ptr<Member> member = script_->member.lock();
    return member == nullptr || !member->IsConnected() || script_->closed || script_->IsHeard();
  }
  void Go(Closing closing) {
    left_ = true;
    Disconnect(CloseReason::kLocal, closing);
  }

 private:
  void OnConnected() override {
    const OwnWork own;
    hall_->hearers.push_back(std::static_pointer_cast<Hearer>(shared_from_this()));
  }
  void OnRecv(std::span<std::byte> bytes) override {
    {
      const OwnWork own;
      for (const std::byte byte : bytes) Take(byte);
    }
    SimRandom& random = hall_->world.Random();
    if (random.OneIn(4)) Send(bytes.first(1));
    if (!random.OneIn(40)) return;
    PauseRecv();
    const OwnWork own;
    hall_->world.After(hall_->world.DrawTime(std::chrono::seconds(2)),
                       [keep = shared_from_this()] { keep->ResumeRecv(); });
  }
  void OnPeerClosed() override {
    cut_ = true;
    Disconnect();
  }
  void OnDisconnected(const CloseInfo& info) override {
    const OwnWork own;
    ended_ = true;
    std::erase(hall_->hearers, shared_from_this());
    if (script_ == nullptr || left_ || info.reason != CloseReason::kPeerClosed) return;
    hall_->world.Check(!script_->ended_by_us || script_->IsHeard() || hall_->PeersWereCut(),
                       "who was ended gracefully did not hear all");
  }

  void Take(std::byte byte) {
    SimWorld& world = hall_->world;
    if (received_ < 4) {
      number_ |= std::to_integer<std::uint32_t>(byte) << (8 * received_++);
      if (received_ < 4) return;
      if (number_ == 0 || number_ > hall_->scripts.size()) return world.Fail("no script's number");
      script_ = hall_->scripts[number_ - 1];
      return;
    }
    if (script_ == nullptr) return;
    if (script_->IsHeard()) return world.Fail("a member heard what was not said to it");
    const Said& said = script_->lines[script_->line];
    if (byte != said.At(script_->place)) world.Fail("a member heard something else than was said");
    if (++script_->place < said.size) return;
    script_->place = 0;
    ++script_->line;
  }

  const HallRef hall_;
  std::shared_ptr<Script> script_;
  std::uint32_t number_ = 0;
  std::size_t received_ = 0;
  bool cut_ = false;
  bool left_ = false;
  bool ended_ = false;
};

SendBufferRef BufferOf(const Said& said) {
  SendBufferRef buffer = SendBuffer::Create(said.size);
  const std::span<std::byte> bytes = buffer->Writable();
  for (std::size_t place = 0; place < bytes.size(); ++place) bytes[place] = said.At(place);
  return buffer;
}

Said DrawSaid(Hall& hall) {
  SimRandom& random = hall.world.Random();
  return {++hall.said, 4 + random.Below(random.OneIn(16) ? 12'000 : 200)};
}

std::shared_ptr<Member> PickMember(Hall& hall) {
  if (hall.members.empty()) return nullptr;
  return hall.members[hall.world.Random().Below(static_cast<std::uint32_t>(hall.members.size()))];
}

// Speaks to a group, mostly in the name of `speaker`, who is told first and then left out.
void Speak(Hall& hall, const std::shared_ptr<Member>& speaker) {
  SimRandom& random = hall.world.Random();
  const std::uint32_t group = random.Below(kGroups);
  const Said said = DrawSaid(hall);
  const SendBufferRef buffer = BufferOf(said);
  const bool to_all = random.OneIn(8);
  const bool left_out = speaker != nullptr && random.OneIn(2);
  if (left_out && speaker->Send(buffer) == SendResult::kQueued) speaker->Hear(said);
  const SessionId except = left_out ? speaker->Id() : SessionId();
  const bool sent = to_all ? hall.manager->BroadcastAll(buffer, except)
                           : hall.manager->Broadcast(GroupId{group}, buffer, except);
  if (!sent) return;
  for (const std::shared_ptr<Member>& member : hall.members) {
    const bool hears = to_all ? member->IsSettled() : member->IsIn(group);
    if (hears && member->Id() != except) member->Hear(said);
  }
}

void Act(Hall& hall, const std::shared_ptr<Member>& member) {
  SimRandom& random = hall.world.Random();
  if (member == nullptr) return Speak(hall, nullptr);
  switch (random.Below(20)) {
    case 0:
      return member->End(random.OneIn(2) ? Closing::kAbort : Closing::kGraceful);
    case 1:
      return member->LeaveAll();
    case 2:
    case 3:
      return member->Leave(random.Below(kGroups));
    case 4:
    case 5:
    case 6:
      return member->Join(random.Below(kGroups));
    case 7: {
      const Said said = DrawSaid(hall);
      if (member->Send(BufferOf(said)) == SendResult::kQueued) member->Hear(said);
      return;
    }
    case 8:
      if (random.OneIn(4)) member->HalfClose();
      return;
    case 9:
      static_cast<void>(
          member->Post([keep = hall.shared_from_this(), member] { Act(*keep, member); }));
      return;
    case 10: {
      SessionManager& manager = *hall.manager;
      for (const std::shared_ptr<Member>& one : hall.members) {
        hall.world.Check(manager.Find(one->Id()) == one, "a member is not found by its id");
      }
      return;
    }
    default:
      return Speak(hall, member);
  }
}

void Member::Mischief() {
  SimRandom& random = hall_->world.Random();
  if (hall_->mischief == 0 || !random.OneIn(hall_->mischief)) return;
  if (random.OneIn(30)) throw std::runtime_error("thrown on purpose");
  Act(*hall_, random.OneIn(3) ? PickMember(*hall_) : Self());
}

void Member::OnConnected() {
  std::uint32_t number = 0;
  {
    const OwnWork own;
    script_ = std::make_shared<Script>();
    script_->member = Self();
    hall_->scripts.push_back(script_);
    hall_->members.push_back(Self());
    number = static_cast<std::uint32_t>(hall_->scripts.size());
  }
  std::byte bytes[4];
  for (std::size_t place = 0; place < 4; ++place) {
    bytes[place] = static_cast<std::byte>((number >> (8 * place)) & 0xffU);
  }
  Send(bytes);
  for (std::uint32_t times = 1 + hall_->world.Random().Below(kGroups); times > 0; --times) {
    Join(hall_->world.Random().Below(kGroups));
  }
  Mischief();
  settled_ = true;
}

void Member::OnRecv(std::span<std::byte>) { Mischief(); }
void Member::OnSend(std::size_t) { Mischief(); }

void Member::OnDisconnected(const CloseInfo& info) {
  if (script_ == nullptr) return;  // it never was connected
  const SessionId id = Id();
  {
    const OwnWork own;
    std::erase(hall_->members, Self());
    groups_.clear();
    hall_->world.Check(hall_->manager->Find(id) == nullptr, "who has ended is found");
    script_->ended_by_us =
        script_->closed && info.reason == CloseReason::kKicked && info.bytes_unsent == 0;
    script_->closed = true;
  }
  hall_->world.Check(!hall_->manager->Join(GroupId{0}, Self()), "who has ended joined");
  Mischief();
}

}  // namespace

void GroupsScenario(SimWorld& world) {
  const auto hall = std::make_shared<Hall>(world);
  SimRandom& random = world.Random();
  SessionOptions options;
  options.on_peer_close = random.OneIn(2) ? PeerClose::kCloseAfterFlush : PeerClose::kKeepOpen;
  options.max_send_queue_bytes = random.OneIn(2) ? random.Between(16, 64) * 1024 : 1024 * 1024;
  options.socket.send_buffer_bytes = random.OneIn(2) ? 0 : 2'048;
  options.socket.recv_buffer_bytes = random.OneIn(2) ? 0 : 2'048;
  const Service& service =
      world.Listen(kPort, [hall] { return std::make_shared<Member>(hall); }, options);
  hall->manager = service.Sessions();
  hall->mischief = random.Between(3, 12);
  const auto arrive = [&world, hall] {
    const auto hearer = std::make_shared<Hearer>(hall);
    static_cast<void>(world.Connect(kPort, hearer));
  };
  do {
    if (random.OneIn(2)) {
      for (std::uint32_t count = 1 + random.Below(6); count > 0; --count) {
        world.After(world.DrawTime(std::chrono::seconds(1)),
                    [&world] { world.FailAllocation(1 + world.Random().Below(80)); });
      }
    }
    const Duration length = std::chrono::seconds(random.Between(1, 3));
    for (std::uint32_t count = random.Between(10, 25); count > 0; --count) {
      world.After(world.DrawTime(length), arrive);
    }
    for (std::uint32_t count = random.Between(20, 60); count > 0; --count) {
      world.After(world.DrawTime(length), [hall] {
        for (int times = 0; times < 3; ++times) Act(*hall, PickMember(*hall));
        SimRandom& drawn = hall->world.Random();
        if (hall->hearers.empty() || !drawn.OneIn(4)) return;
        const std::size_t index = drawn.Below(static_cast<std::uint32_t>(hall->hearers.size()));
        hall->hearers[index]->Go(drawn.OneIn(2) ? Closing::kAbort : Closing::kGraceful);
      });
    }
    world.RunFor(length);
  } while (!world.HasFailed() && world.Trace().CompletionCount() < 1'200);

  // Whoever is still there hears all that was said to it.
  hall->mischief = 0;
  world.Faults().Stop();
  world.FailAllocation(0);
  for (const auto& hearer : hall->hearers) hearer->ResumeRecv();
  const auto all_served = [&] {
    return std::all_of(hall->hearers.begin(), hall->hearers.end(),
                       [](const auto& hearer) { return hearer->IsServed(); });
  };
  world.RunFor(std::chrono::seconds(3));
  world.Check(world.RunUntil(all_served), "a member did not hear all that was said to it");
  for (const auto& member : hall->members) {
    world.Check(hall->manager->Find(member->Id()) == member, "a member is not found by its id");
  }
  world.Check(hall->manager->Count() == hall->members.size(), "the sessions are counted wrongly");
  for (const auto& member : std::vector(hall->members)) member->LeaveAll();
  world.Check(world.RunUntil([&] { return hall->manager->GroupCount() == 0; }),
              "a group is left when all have left");
}

}  // namespace netcore::test
