// TerminalFace: the client for a person: a line that is being typed, and messages above it.
#pragma once

#include <string>
#include <string_view>

#include "chat/client/face.h"
#include "chat/client/input_history.h"
#include "chat/client/key_decoder.h"
#include "chat/client/line_editor.h"
#include "chat/client/line_view.h"
#include "common/console.h"

namespace samples::chat {

/// A message erases the line, stands in its place, and the line is drawn anew below: all in one
/// write.
///
/// Owns: the line and those before it. Lifetime: `console` outlives it.
class TerminalFace final : public Face {
 public:
  TerminalFace(Console& console, bool colours) : console_(console), colours_(colours) {}

  bool IsPatient() const noexcept override { return true; }
  void Begin() override;
  void End() override;

  /// After a line that was refused, the rest of `bytes` is dropped.
  void Take(std::string_view bytes, Listener& listener) override;
  void TakeEnd(Listener& listener) override { listener.OnInputEnd(); }
  void SetRoom(std::string_view room) override;
  void Show(const Message& message) override;
  [[nodiscard]] bool Flush() override;

 private:
  bool Press(const Key& key, Listener& listener);
  bool Enter(Listener& listener);
  void Edit(const Key& key);
  void Recall(std::optional<std::string_view> line);

  Console& console_;
  const bool colours_;
  bool begun_ = false;
  std::string prompt_ = "> ";
  KeyDecoder decoder_;
  LineEditor editor_;
  InputHistory history_;
  LineView view_;
  std::string shown_;  // since the last Flush
};

}  // namespace samples::chat
