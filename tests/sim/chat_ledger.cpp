#include "tests/sim/chat_ledger.h"

#include <algorithm>
#include <charconv>

namespace netcore::test {
namespace {

std::string Quote(std::uint32_t number) { return " (message " + std::to_string(number) + ")"; }

}  // namespace

bool IsGuestName(std::string_view name) noexcept {
  constexpr std::string_view kGuest = "guest-";
  if (!name.starts_with(kGuest) || name.size() == kGuest.size()) return false;
  name.remove_prefix(kGuest.size());
  return name.find_first_not_of("0123456789") == std::string_view::npos;
}

ChatMessage& ChatLedger::Add(std::uint32_t speaker, const std::string& filler,
                             std::size_t most_bytes) {
  ChatMessage message;
  message.number = static_cast<std::uint32_t>(messages_.size() + 1);
  message.speaker = speaker;
  message.text = "#";
  message.text.append(std::to_string(message.number)).append(" ");
  while (!filler.empty() && message.text.size() + filler.size() <= most_bytes) {
    message.text += filler;
  }
  message.asked = Tick();
  messages_.push_back(std::move(message));
  return messages_.back();
}

ChatMessage* ChatLedger::Find(std::string_view text) {
  std::uint32_t number = 0;
  if (!text.starts_with('#')) return nullptr;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
  if (error != std::errc() || number == 0 || number > messages_.size()) return nullptr;
  ChatMessage& message = At(number);
  return message.text == text ? &message : nullptr;
}

void ChatLedger::CheckName(ChatMessage& message, std::string_view name) {
  const bool may_be = std::any_of(
      message.names.begin(), message.names.end(),
      [&](const std::string& one) { return one == name || (one.empty() && IsGuestName(name)); });
  world_.Check(may_be, "a message has a name that its speaker had not" + Quote(message.number));
  if (message.name.empty()) message.name = name;
  world_.Check(message.name == name, "two heard one message by two names" + Quote(message.number));
}

void ChatLedger::Hear(ChatMessage& message, std::string_view room, std::string_view name) {
  CheckName(message, name);
  world_.Check(message.to.empty(), "what was private was heard in a room" + Quote(message.number));
  const bool may_be =
      std::find(message.rooms.begin(), message.rooms.end(), room) != message.rooms.end();
  world_.Check(may_be, "a message is heard where it was not said" + Quote(message.number));
  if (message.room.empty()) message.room = room;
  world_.Check(message.room == room, "a message was heard in two rooms" + Quote(message.number));
}

void ChatLedger::Log(ChatMessage& message) {
  message.is_sure = true;
  logs_[message.room].push_back({message.number, Tick()});
}

void ChatLedger::BeginStay(ChatStay& stay, const std::string& room) {
  stay.begin = Tick();
  stay.checked = logs_[room].size();  // those were sent before
}

// What was said and answered before a request was sent came before the answer to that.
void ChatLedger::CheckStay(ChatStay& stay, const std::string& room, std::uint64_t asked) {
  const std::vector<Logged>& log = logs_[room];
  for (; stay.checked < log.size() && log[stay.checked].time < asked; ++stay.checked) {
    const std::uint32_t number = log[stay.checked].number;
    world_.Check(At(number).asked < stay.begin || stay.heard.count(number) > 0,
                 "who was there did not hear a message" + Quote(number));
  }
}

void ChatLedger::EndStay(const ChatStay& stay) {
  if (stay.order.size() > 1) orders_.push_back(stay.order);
}

void ChatLedger::Own(const std::string& name, const ChatOwnership& ownership) {
  if (!name.empty() && ownership.end > ownership.begin) owners_[name].push_back(ownership);
}

void ChatLedger::CheckAll(bool losing) {
  CheckOrder(losing);
  CheckOwners();
  CheckPrivate();
}

void ChatLedger::CheckOrder(bool losing) {
  std::map<std::uint32_t, std::uint32_t> next;
  std::map<std::uint32_t, std::uint32_t> before;
  for (std::vector<std::uint32_t>& order : orders_) {
    if (losing) std::erase_if(order, [this](std::uint32_t one) { return !At(one).is_sure; });
    for (std::size_t index = 1; index < order.size(); ++index) {
      const std::uint32_t first = order[index - 1];
      const std::uint32_t second = order[index];
      const bool same = next.try_emplace(first, second).first->second == second &&
                        before.try_emplace(second, first).first->second == first;
      world_.Check(same, "two heard one room in two orders, or one of them not all" + Quote(first) +
                             Quote(second));
    }
  }
}

void ChatLedger::CheckOwners() {
  for (auto& [name, owners] : owners_) {
    std::sort(owners.begin(), owners.end(), [](const ChatOwnership& one, const ChatOwnership& two) {
      return one.begin < two.begin;
    });
    for (std::size_t index = 1; index < owners.size(); ++index) {
      const bool apart = owners[index - 1].end <= owners[index].begin ||
                         owners[index - 1].owner == owners[index].owner;
      world_.Check(apart, "two had the name " + name + " at once");
    }
  }
}

void ChatLedger::CheckPrivate() {
  for (const ChatMessage& message : messages_) {
    if (message.to.empty() || message.answered == 0 || message.is_received) continue;
    for (const ChatOwnership& one : owners_[message.to]) {
      world_.Check(one.begin > message.asked || one.end < message.answered,
                   "what was said in private was not heard" + Quote(message.number));
    }
  }
}

}  // namespace netcore::test
