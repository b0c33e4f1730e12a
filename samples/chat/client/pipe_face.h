// PipeFace: the client for a script: lines in, lines out.
#pragma once

#include <string>
#include <string_view>

#include "chat/client/face.h"
#include "common/console.h"

namespace samples::chat {

/// Lines end with a line feed, a return before it is dropped; the last may do without. Of a line
/// beyond kMaxLine the rest is dropped, and what is left is longer than anything that can be sent.
///
/// Owns: the part of a line that has come. Lifetime: `console` outlives it.
class PipeFace final : public Face {
 public:
  static constexpr std::size_t kMaxLine = 64 * 1024;

  PipeFace(Console& console, bool colours) : console_(console), colours_(colours) {}

  bool IsPatient() const noexcept override { return false; }
  void Take(std::string_view bytes, Listener& listener) override;
  void TakeEnd(Listener& listener) override;
  void Show(const Message& message) override;
  [[nodiscard]] bool Flush() override;

 private:
  void EndLine(Listener& listener);

  Console& console_;
  const bool colours_;
  std::string line_;
  std::string shown_;  // since the last Flush
};

}  // namespace samples::chat
