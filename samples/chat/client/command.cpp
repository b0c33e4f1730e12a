// One table: the words, what must stand behind them, and the help.
#include "chat/client/command.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

namespace samples::chat {
namespace {

struct Entry {
  std::string_view word;
  CommandKind kind;
  std::string_view usage;
};

constexpr Entry kCommands[] = {
    {"/name", CommandKind::kName, "/name NAME"}, {"/join", CommandKind::kJoin, "/join ROOM"},
    {"/leave", CommandKind::kLeave, "/leave"},   {"/list", CommandKind::kList, "/list"},
    {"/who", CommandKind::kWho, "/who"},         {"/msg", CommandKind::kPrivate, "/msg NAME TEXT"},
    {"/help", CommandKind::kHelp, "/help"},      {"/quit", CommandKind::kQuit, "/quit"},
};

Command Wrong(std::string_view before, std::string_view what, std::string_view behind) {
  std::string why(before);
  why.append(what).append(behind);
  return {.kind = CommandKind::kWrong, .text = std::move(why)};
}

Command Misused(const Entry& entry) { return Wrong("it is: ", entry.usage, ""); }

// `rest` begins with the name. Its quotes end where a space follows.
Command ParsePrivate(const Entry& entry, std::string_view rest) {
  const bool is_quoted = rest.starts_with('"');
  if (is_quoted) rest.remove_prefix(1);
  const std::string_view end = is_quoted ? "\" " : " ";
  const std::size_t length = rest.find(end);
  if (length == 0 || length == std::string_view::npos) return Misused(entry);
  const std::string_view text = rest.substr(length + end.size());
  if (text.empty()) return Misused(entry);
  return {
      .kind = entry.kind, .name = std::string(rest.substr(0, length)), .text = std::string(text)};
}

// `line` begins with a slash.
Command ParseWord(std::string_view line) {
  const std::string_view word = line.substr(0, line.find(' '));
  const auto* const entry = std::find_if(std::begin(kCommands), std::end(kCommands),
                                         [&](const Entry& e) { return e.word == word; });
  if (entry == std::end(kCommands)) {
    return Wrong("there is no command ", word, "; /help tells which there are");
  }
  std::string_view rest = line.substr(word.size());
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  if (entry->kind == CommandKind::kPrivate) return ParsePrivate(*entry, rest);
  while (rest.ends_with(' ')) rest.remove_suffix(1);
  const bool takes_name = entry->kind == CommandKind::kName || entry->kind == CommandKind::kJoin;
  if (takes_name == rest.empty()) return Misused(*entry);
  return {.kind = entry->kind, .name = std::string(rest)};
}

}  // namespace

Command ParseCommand(std::string_view line) {
  if (line.find_first_not_of(' ') == std::string_view::npos) return {};
  if (line.starts_with("//")) {
    line.remove_prefix(1);
  } else if (line.starts_with('/')) {
    return ParseWord(line);
  }
  return {.kind = CommandKind::kSay, .text = std::string(line)};
}

std::string_view CommandHelp() noexcept {
  return "/name NAME        be called otherwise\n"
         "/join ROOM        go to a room, which is made if there is none\n"
         "/leave            back to the lobby\n"
         "/list             the rooms\n"
         "/who              who is in this room\n"
         "/msg NAME TEXT    to one person alone; \"A NAME\" if it has spaces\n"
         "/quit             end\n"
         "//TEXT            say /TEXT\n"
         "Everything else is said to all in the room.";
}

}  // namespace samples::chat
