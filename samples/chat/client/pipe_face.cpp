// Cutting at line feeds.
#include "chat/client/pipe_face.h"

#include <algorithm>
#include <utility>

namespace samples::chat {

void PipeFace::Take(std::string_view bytes, Listener& listener) {
  for (;;) {
    const std::size_t end = bytes.find('\n');
    line_ += bytes.substr(0, std::min(end, kMaxLine - line_.size()));
    if (end == std::string_view::npos) return;
    EndLine(listener);
    bytes.remove_prefix(end + 1);
  }
}

void PipeFace::TakeEnd(Listener& listener) {
  if (!line_.empty()) EndLine(listener);
  listener.OnInputEnd();
}

void PipeFace::Show(const Message& message) {
  shown_.append(LineOf(message, colours_)).append("\n");
}

bool PipeFace::Flush() { return shown_.empty() || console_.Write(std::exchange(shown_, {})); }

void PipeFace::EndLine(Listener& listener) {
  std::string line = std::exchange(line_, {});
  if (line.ends_with('\r')) line.pop_back();
  static_cast<void>(listener.OnLine(line));  // what is refused is lost, and was told
}

}  // namespace samples::chat
