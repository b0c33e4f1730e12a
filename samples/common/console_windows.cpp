// Windows' console in its virtual terminal mode, which speaks the sequences of other systems.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <string>
#include <utility>

#include "common/console.h"
#include "common/windows_event.h"

// Newer than some headers.
#ifndef ENABLE_VIRTUAL_TERMINAL_PROCESSING
#define ENABLE_VIRTUAL_TERMINAL_PROCESSING 0x0004
#endif
#ifndef ENABLE_VIRTUAL_TERMINAL_INPUT
#define ENABLE_VIRTUAL_TERMINAL_INPUT 0x0200
#endif

namespace samples {
namespace {

constexpr std::size_t kUsualColumns = 80;
constexpr std::size_t kPiece = 4096;
constexpr DWORD kLookAtPipe = 20;  // ms; nothing tells when one has something

bool IsConsole(HANDLE handle) noexcept {
  DWORD mode = 0;
  return GetConsoleMode(handle, &mode) != 0;
}

std::string FromWide(std::wstring_view wide) {
  const int length = static_cast<int>(wide.size());
  const int size =
      WideCharToMultiByte(CP_UTF8, 0, wide.data(), length, nullptr, 0, nullptr, nullptr);
  std::string text(static_cast<std::size_t>(size), '\0');
  WideCharToMultiByte(CP_UTF8, 0, wide.data(), length, text.data(), size, nullptr, nullptr);
  return text;
}

class WindowsConsole final : public Console {
 public:
  WindowsConsole() : wake_(CreateLastingEvent()) {
    if (IsConsole(output_)) {
      code_page_before_ = GetConsoleOutputCP();
      SetConsoleOutputCP(CP_UTF8);
      GetConsoleMode(output_, &output_before_);
      draws_ = SetConsoleMode(output_, output_before_ | ENABLE_PROCESSED_OUTPUT |
                                           ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0;
    }
  }
  ~WindowsConsole() override {
    if (has_keys_) SetConsoleMode(input_, input_before_);
    if (code_page_before_ != 0) {
      SetConsoleMode(output_, output_before_);
      SetConsoleOutputCP(code_page_before_);
    }
    CloseHandle(wake_);
  }

  bool IsTerminal() const noexcept override { return IsConsole(input_) && draws_; }
  bool HasColours() const noexcept override {
    const char* const refused = std::getenv("NO_COLOR");
    return draws_ && (refused == nullptr || *refused == '\0');
  }

  void BeginKeys() override {
    if (has_keys_ || GetConsoleMode(input_, &input_before_) == 0) return;
    has_keys_ = SetConsoleMode(input_, ENABLE_VIRTUAL_TERMINAL_INPUT) != 0;
  }

  std::size_t Read(std::span<std::byte> buffer) override {
    if (IsConsole(input_)) return ReadTyped(buffer);
    if (GetFileType(input_) == FILE_TYPE_PIPE && !WaitForPipe()) return 0;
    if (IsWoken()) return 0;
    DWORD size = 0;
    const auto most = static_cast<DWORD>(buffer.size());
    return ReadFile(input_, buffer.data(), most, &size, nullptr) != 0 ? size : 0;
  }

  void Wake() noexcept override {
    SetEvent(wake_);
    if (has_keys_ || !IsConsole(input_)) return;
    // A line that is waited for ends only by its end.
    INPUT_RECORD enter{};
    enter.EventType = KEY_EVENT;
    enter.Event.KeyEvent.bKeyDown = TRUE;
    enter.Event.KeyEvent.wRepeatCount = 1;
    enter.Event.KeyEvent.wVirtualKeyCode = VK_RETURN;
    enter.Event.KeyEvent.uChar.UnicodeChar = L'\r';
    DWORD written = 0;
    WriteConsoleInputW(input_, &enter, 1, &written);
  }

  bool Write(std::string_view text) noexcept override {
    while (!text.empty()) {
      DWORD size = 0;
      const auto most = static_cast<DWORD>(std::min(text.size(), kPiece));
      if (WriteFile(output_, text.data(), most, &size, nullptr) == 0 || size == 0) return false;
      text.remove_prefix(size);
      if (IsWoken()) break;
    }
    return true;
  }

  std::size_t Columns() const noexcept override {
    CONSOLE_SCREEN_BUFFER_INFO info{};
    if (GetConsoleScreenBufferInfo(output_, &info) == 0) return kUsualColumns;
    return static_cast<std::size_t>(info.srWindow.Right - info.srWindow.Left + 1);
  }

 private:
  bool IsWoken() const noexcept { return WaitForSingleObject(wake_, 0) == WAIT_OBJECT_0; }

  // False when woken. At the end, and of a pipe that can't be looked into, a read tells more.
  bool WaitForPipe() const noexcept {
    for (;;) {
      DWORD waiting = 0;
      if (PeekNamedPipe(input_, nullptr, 0, nullptr, &waiting, nullptr) == 0) return true;
      if (waiting > 0) return true;
      if (WaitForSingleObject(wake_, kLookAtPipe) == WAIT_OBJECT_0) return false;
    }
  }

  std::size_t ReadTyped(std::span<std::byte> buffer) {
    while (read_.empty()) {
      if (IsWoken() || !(has_keys_ ? ReadKeys() : ReadLine())) return 0;
    }
    const std::size_t size = std::min(buffer.size(), read_.size());
    std::transform(read_.begin(), read_.begin() + static_cast<std::ptrdiff_t>(size), buffer.begin(),
                   [](char byte) { return static_cast<std::byte>(byte); });
    read_.erase(0, size);
    return size;
  }

  // Events that are no keys end the wait too, and bring nothing.
  bool ReadKeys() {
    const std::array<HANDLE, 2> waits{wake_, input_};
    const DWORD ready =
        WaitForMultipleObjects(static_cast<DWORD>(waits.size()), waits.data(), FALSE, INFINITE);
    if (ready != WAIT_OBJECT_0 + 1) return false;
    std::array<INPUT_RECORD, 128> records{};
    DWORD count = 0;
    const auto most = static_cast<DWORD>(records.size());
    if (ReadConsoleInputW(input_, records.data(), most, &count) == 0) return false;
    std::wstring wide;
    for (const INPUT_RECORD& record : std::span(records).first(count)) {
      if (record.EventType != KEY_EVENT) continue;
      const KEY_EVENT_RECORD& key = record.Event.KeyEvent;
      // What is typed by its number comes when Alt is let go.
      const bool is_typed = key.bKeyDown != 0 || key.wVirtualKeyCode == VK_MENU;
      if (is_typed && key.uChar.UnicodeChar != 0) {
        wide.append(std::max<std::size_t>(key.wRepeatCount, 1), key.uChar.UnicodeChar);
      }
    }
    Keep(wide);
    return true;
  }

  bool ReadLine() {
    std::array<wchar_t, 1024> wide{};
    DWORD count = 0;
    const auto most = static_cast<DWORD>(wide.size());
    if (::ReadConsoleW(input_, wide.data(), most, &count, nullptr) == 0 || count == 0) return false;
    constexpr wchar_t kEndOfInput = 0x1a;  // Ctrl-Z at the beginning of a line
    if (wide.front() == kEndOfInput) return false;
    Keep({wide.data(), count});
    return true;
  }

  // The first half of a pair waits for the second.
  void Keep(std::wstring_view wide) {
    half_.append(wide);
    const std::wstring whole = std::exchange(half_, {});
    const bool is_cut = !whole.empty() && whole.back() >= 0xd800 && whole.back() < 0xdc00;
    if (is_cut) half_ = whole.back();
    read_ += FromWide(std::wstring_view(whole).substr(0, whole.size() - (is_cut ? 1 : 0)));
  }

  const HANDLE input_ = GetStdHandle(STD_INPUT_HANDLE);
  const HANDLE output_ = GetStdHandle(STD_OUTPUT_HANDLE);
  const HANDLE wake_;
  std::atomic<bool> has_keys_{false};
  bool draws_ = false;
  DWORD input_before_ = 0;
  DWORD output_before_ = 0;
  UINT code_page_before_ = 0;
  std::string read_;   // and not taken yet
  std::wstring half_;  // of a character
};

}  // namespace

std::unique_ptr<Console> Console::Open() { return std::make_unique<WindowsConsole>(); }

}  // namespace samples
