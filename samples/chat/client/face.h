// Face: the side of the client that a person, or a script, sees. It takes what is typed and shows
// messages; knows no connection.
#pragma once

#include <string_view>

#include "chat/client/message.h"

namespace samples::chat {

/// Lifetime: outlives whoever shows on it. Threads: one at a time.
class Face {
 public:
  /// Who is told what was typed.
  class Listener {
   public:
    /// False: the line was refused, and its text may be wanted again.
    [[nodiscard]] virtual bool OnLine(std::string_view line) = 0;

    /// Nothing follows; or whoever sits there wants to end.
    virtual void OnInputEnd() = 0;

   protected:
    ~Listener() = default;
  };

  Face() = default;
  Face(const Face&) = delete;
  Face& operator=(const Face&) = delete;
  virtual ~Face() = default;

  /// A person sits there, and would rather wait than see the client end.
  virtual bool IsPatient() const noexcept = 0;

  /// From now on keys are taken, and the line that is being typed is on the screen. Once.
  virtual void Begin() {}

  /// Leaves the screen as a shell wants it.
  virtual void End() {}

  /// What was typed. Calls `listener` for each whole line.
  virtual void Take(std::string_view bytes, Listener& listener) = 0;
  virtual void TakeEnd(Listener& listener) = 0;

  /// Where one is, to stand before the line.
  virtual void SetRoom(std::string_view) {}

  /// Seen at the next Flush.
  virtual void Show(const Message& message) = 0;

  /// False: nobody can see it any more.
  [[nodiscard]] virtual bool Flush() = 0;
};

}  // namespace samples::chat
