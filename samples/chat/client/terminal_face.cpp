// Keys to edits, and the order of erasing, showing and drawing.
#include "chat/client/terminal_face.h"

#include <optional>
#include <utility>

#include "chat/client/text_width.h"

namespace samples::chat {
namespace {

// A paste is told apart from what is typed.
constexpr std::string_view kMarkPastes = "\x1b[?2004h";
constexpr std::string_view kLeavePastes = "\x1b[?2004l";
constexpr std::string_view kClearScreen = "\x1b[H\x1b[2J";

}  // namespace

void TerminalFace::Begin() {
  begun_ = true;
  console_.BeginKeys();
  shown_ += kMarkPastes;
}

void TerminalFace::End() {
  if (!std::exchange(begun_, false)) return;
  std::string last(LineView::kErase);
  last.append(shown_).append(kLeavePastes);
  static_cast<void>(console_.Write(last));
}

void TerminalFace::Take(std::string_view bytes, Listener& listener) {
  for (const Key& key : decoder_.Decode(bytes)) {
    if (!Press(key, listener)) break;
  }
}

void TerminalFace::SetRoom(std::string_view room) { prompt_ = Showable(room) + "> "; }

void TerminalFace::Show(const Message& message) {
  shown_.append(LineOf(message, colours_)).append("\r\n");
}

bool TerminalFace::Flush() {
  std::string drawn;
  if (begun_ && !shown_.empty()) drawn = LineView::kErase;
  drawn += std::exchange(shown_, {});
  if (begun_) drawn += view_.Draw(prompt_, editor_, console_.Columns());
  return drawn.empty() || console_.Write(drawn);
}

// False: what was pressed behind it has no meaning any more.
bool TerminalFace::Press(const Key& key, Listener& listener) {
  switch (key.code) {
    case KeyCode::kEnter:
      return Enter(listener);
    case KeyCode::kInterrupt:
      listener.OnInputEnd();
      return false;
    case KeyCode::kEndOfInput:
      if (!editor_.Text().empty()) {
        editor_.Delete();
        return true;
      }
      listener.OnInputEnd();
      return false;
    case KeyCode::kRedraw:
      shown_ += kClearScreen;
      return true;
    default:
      Edit(key);
      return true;
  }
}

bool TerminalFace::Enter(Listener& listener) {
  const std::string line(editor_.Text());
  if (!listener.OnLine(line)) return false;
  history_.Add(line);
  editor_.Set("");
  return true;
}

void TerminalFace::Edit(const Key& key) {
  switch (key.code) {
    case KeyCode::kText:
      return editor_.Insert(key.text);
    case KeyCode::kBackspace:
      return editor_.Backspace();
    case KeyCode::kDelete:
      return editor_.Delete();
    case KeyCode::kLeft:
      return editor_.MoveLeft();
    case KeyCode::kRight:
      return editor_.MoveRight();
    case KeyCode::kHome:
      return editor_.MoveHome();
    case KeyCode::kEnd:
      return editor_.MoveEnd();
    case KeyCode::kKillToStart:
      return editor_.KillToStart();
    case KeyCode::kKillToEnd:
      return editor_.KillToEnd();
    case KeyCode::kKillWord:
      return editor_.KillWord();
    case KeyCode::kUp:
      return Recall(history_.Older(editor_.Text()));
    case KeyCode::kDown:
      return Recall(history_.Newer());
    default:
      return;
  }
}

void TerminalFace::Recall(std::optional<std::string_view> line) {
  if (line) editor_.Set(*line);
}

}  // namespace samples::chat
