// What all echo servers of this benchmark take from the command line and say when they are ready.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace bench {

struct ServerOptions {
  std::uint16_t port = 0;  // 0: any free one
  std::size_t message_bytes =
      0;  // 0: what arrives is sent back as it arrives; otherwise the stream
          // is cut into messages of so many bytes, each answered by itself
};

/// Reads the command line of a server, which takes --backend too where there is a place for it.
/// Nothing if the program shall go on, and otherwise its status.
std::optional<int> ParseCommandLine(const char* description, int argc, char** argv,
                                    ServerOptions& options, std::string* backend = nullptr);

/// Prints the line that the benchmark waits for.
void SayListening(std::uint16_t port);

}  // namespace bench
