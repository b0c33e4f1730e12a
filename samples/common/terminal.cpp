// stdin and stdout through each system's read and isatty.
#include "common/terminal.h"

#include <vector>

#if defined(_WIN32)
#include <fcntl.h>
#include <io.h>
#else
#include <unistd.h>

#include <cerrno>
#endif

namespace samples {
namespace {

constexpr int kInput = 0;
constexpr int kOutput = 1;
constexpr std::size_t kChunkSize = 64 * 1024;

// Waits for something and takes what is there; 0 at the end.
#if defined(_WIN32)

std::size_t ReadChunk(std::span<std::byte> buffer) {
  const int size = _read(kInput, buffer.data(), static_cast<unsigned>(buffer.size()));
  return size > 0 ? static_cast<std::size_t>(size) : 0;
}

#else

std::size_t ReadChunk(std::span<std::byte> buffer) {
  for (;;) {
    const ssize_t size = ::read(kInput, buffer.data(), buffer.size());
    if (size >= 0) return static_cast<std::size_t>(size);
    if (errno != EINTR) return 0;
  }
}

#endif

}  // namespace

bool ReadInput(const std::function<bool(std::span<const std::byte>)>& consume) {
  std::vector<std::byte> buffer(kChunkSize);
  while (const std::size_t size = ReadChunk(buffer)) {
    if (!consume(std::span(buffer).first(size))) return false;
  }
  return true;
}

#if defined(_WIN32)

void UseBinaryStreams() {
  _setmode(kInput, _O_BINARY);
  _setmode(kOutput, _O_BINARY);
}

bool OutputIsTerminal() { return _isatty(kOutput) != 0; }

#else

void UseBinaryStreams() {}

bool OutputIsTerminal() { return ::isatty(kOutput) != 0; }

#endif

}  // namespace samples
