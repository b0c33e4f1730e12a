// termios, poll, and a pipe that wakes whoever reads.
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

#include "common/console.h"

namespace samples {
namespace {

constexpr int kInput = STDIN_FILENO;
constexpr int kOutput = STDOUT_FILENO;
constexpr std::size_t kUsualColumns = 80;
constexpr std::size_t kPiece = 4096;

std::string_view Environment(const char* name) noexcept {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

// Waits until one of `waits` is ready.
template <std::size_t kCount>
void Poll(std::array<pollfd, kCount>& waits) noexcept {
  while (::poll(waits.data(), waits.size(), -1) < 0 && errno == EINTR) {
  }
}

class PosixConsole final : public Console {
 public:
  PosixConsole() {
    if (::pipe(wake_.data()) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  }
  ~PosixConsole() override {
    if (has_keys_) ::tcsetattr(kInput, TCSADRAIN, &before_);
    for (const int end : wake_) ::close(end);
  }

  bool IsTerminal() const noexcept override {
    const std::string_view kind = Environment("TERM");
    return ::isatty(kInput) != 0 && ::isatty(kOutput) != 0 && !kind.empty() && kind != "dumb";
  }
  bool HasColours() const noexcept override {
    const std::string_view kind = Environment("TERM");
    return ::isatty(kOutput) != 0 && Environment("NO_COLOR").empty() && !kind.empty() &&
           kind != "dumb";
  }

  void BeginKeys() override {
    if (has_keys_ || ::tcgetattr(kInput, &before_) != 0) return;
    termios keys = before_;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG | IEXTEN);
    keys.c_iflag &= ~static_cast<tcflag_t>(IXON | ICRNL | INLCR | IGNCR | ISTRIP);
    keys.c_cc[VMIN] = 1;
    keys.c_cc[VTIME] = 0;
    has_keys_ = ::tcsetattr(kInput, TCSADRAIN, &keys) == 0;
  }

  std::size_t Read(std::span<std::byte> buffer) override {
    for (;;) {
      std::array<pollfd, 2> waits{{{kInput, POLLIN, 0}, {wake_[0], POLLIN, 0}}};
      Poll(waits);
      if (waits[1].revents != 0) return 0;
      const ssize_t size = ::read(kInput, buffer.data(), buffer.size());
      if (size >= 0) return static_cast<std::size_t>(size);
      if (errno != EINTR && errno != EAGAIN) return 0;
    }
  }

  void Wake() noexcept override {
    const char byte = 0;
    if (!woken_.exchange(true)) static_cast<void>(::write(wake_[1], &byte, 1) == 1);
  }

  bool Write(std::string_view text) noexcept override {
    while (!text.empty()) {
      std::array<pollfd, 2> waits{{{kOutput, POLLOUT, 0}, {wake_[0], POLLIN, 0}}};
      Poll(waits);
      if (waits[0].revents == 0) break;
      // As much as a pipe that is ready has room for.
      const ssize_t size =
          ::write(kOutput, text.data(), std::min<std::size_t>(text.size(), kPiece));
      if (size >= 0) {
        text.remove_prefix(static_cast<std::size_t>(size));
      } else if (errno != EAGAIN && errno != EINTR) {
        return false;
      }
    }
    return true;
  }

  std::size_t Columns() const noexcept override {
    winsize size{};
    if (::ioctl(kOutput, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualColumns;
    return size.ws_col;
  }

 private:
  std::array<int, 2> wake_{};  // read end, write end
  std::atomic<bool> woken_{false};
  bool has_keys_ = false;
  termios before_{};
};

}  // namespace

std::unique_ptr<Console> Console::Open() { return std::make_unique<PosixConsole>(); }

}  // namespace samples
