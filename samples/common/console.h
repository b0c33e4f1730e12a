// Console: stdin and stdout as a program needs them that somebody types into while it shows
// something. One implementation a system; everything is UTF-8.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace samples {

/// Owns: how the terminal is set, between BeginKeys and its destructor. Lifetime: one at a time.
/// Threads: one reads, one writes, any wakes.
class Console {
 public:
  static std::unique_ptr<Console> Open();

  Console() = default;
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// Sets the terminal as it was.
  virtual ~Console() = default;

  /// Somebody types, sees what is written, and can have lines redrawn.
  virtual bool IsTerminal() const noexcept = 0;

  /// Somebody sees what is written, and wants colours: NO_COLOR is not set.
  virtual bool HasColours() const noexcept = 0;

  /// From now on each key is read as it is pressed, Ctrl-C among them, and is not shown. Without
  /// effect where nobody types.
  virtual void BeginKeys() = 0;

  /// Waits for something and takes what is there. 0 at the end, and after Wake.
  virtual std::size_t Read(std::span<std::byte> buffer) = 0;

  /// From now on nothing waits, also what does so already: Read returns 0, Write drops what it
  /// would have to wait for.
  virtual void Wake() noexcept = 0;

  /// Writes all of it, and waits for whoever reads it. False if nobody will.
  [[nodiscard]] virtual bool Write(std::string_view text) noexcept = 0;

  /// How wide the terminal is now.
  virtual std::size_t Columns() const noexcept = 0;
};

}  // namespace samples
