// What a room's members ask for.
#include <optional>
#include <string>
#include <utility>

#include "chat/answers.h"
#include "chat/chat.h"
#include "chat/chat_session.h"
#include "chat/line_list.h"
#include "chat/room.h"
#include "chat/text_rules.h"

namespace samples::chat {

void Room::Execute(ChatSession& session, PacketType type, std::string_view payload) {
  if (type == PacketType::kChat) return Say(session, payload);
  Flush();
  const bool is_bare =
      type == PacketType::kLeave || type == PacketType::kList || type == PacketType::kWho;
  if (is_bare && !payload.empty()) {
    session.Refuse(Problem::kBadRequest);
    if (type == PacketType::kLeave) session.Stay();
    return;
  }
  switch (type) {
    case PacketType::kSetName:
      return Rename(session, payload);
    case PacketType::kJoin:
      if (const Problem problem = CheckName(payload); problem != Problem::kNone) {
        session.Refuse(problem);
        return session.Stay();
      }
      return Move(session, payload);
    case PacketType::kLeave:
      return Move(session, kLobby);
    case PacketType::kList:
      return session.Answer(PacketType::kList, chat_.Rooms().List());
    case PacketType::kWho:
      return SendNames(session);
    case PacketType::kPrivate:
      return SayPrivately(session, payload);
    default:
      return session.Refuse(Problem::kUnknownType);
  }
}

void Room::Say(ChatSession& session, std::string_view text) {
  if (const Problem problem = CheckText(text); problem != Problem::kNone) {
    Flush();
    return session.Refuse(problem);
  }
  batch_.Add(session.Id(), session.Name(), text);
  chat_.CountMessage();
  if (batch_.IsFull()) return Flush();
  FlushSoon();
}

// What may fail comes first; from the claim on nothing does.
void Room::Rename(ChatSession& session, std::string_view name) {
  if (const Problem problem = CheckName(name); problem != Problem::kNone) {
    return session.Refuse(problem);
  }
  const std::string old = session.Name();
  if (name == old) return session.Answer(PacketType::kSetName, name);
  std::string in_session(name);
  std::string in_room(name);
  if (!chat_.Names().Claim(name, session.Id())) return session.Refuse(Problem::kNameTaken, name);
  auto member = members_.extract(old);
  member.value() = std::move(in_room);
  members_.insert(std::move(member));
  session.SetName(std::move(in_session));
  chat_.Names().Release(old);
  session.Answer(PacketType::kSetName, name);
  Announce({old, " is now called ", name}, session.Id());
}

void Room::SayPrivately(ChatSession& session, std::string_view payload) {
  const std::optional<Line> line = ParsePrivate(BytesOf(payload));
  if (!line) return session.Refuse(Problem::kBadRequest);
  Problem problem = CheckName(line->name);
  if (problem == Problem::kNone) problem = CheckText(line->text);
  if (problem != Problem::kNone) return session.Refuse(problem);
  const netcore::SessionRef receiver = sessions_->Find(chat_.Names().Find(line->name));
  if (receiver == nullptr) return session.Refuse(Problem::kUnknownName, line->name);
  chat_.CountMessage();
  receiver->Send(MakeAnswer(PacketType::kPrivate, MakePrivate(session.Name(), line->text)));
  session.Send(MakeNews({"sent to ", line->name}));
}

void Room::SendNames(ChatSession& session) const {
  LineList names;
  for (const std::string& name : members_) names.Add(name);
  session.Answer(PacketType::kWho, std::move(names).Take());
}

}  // namespace samples::chat
