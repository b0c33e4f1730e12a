#include "echo/server_options.h"

#include <CLI/CLI.hpp>
#include <iostream>

namespace bench {

std::optional<int> ParseCommandLine(const char* description, int argc, char** argv,
                                    ServerOptions& options, std::string* backend) {
  CLI::App app(description);
  app.add_option("--port", options.port, "port to listen on at 127.0.0.1, 0: any free one")
      ->capture_default_str();
  app.add_option("--message", options.message_bytes,
                 "answer each message of so many bytes by itself, 0: as the bytes arrive")
      ->capture_default_str();
  if (backend != nullptr) {
    app.add_option("--backend", *backend, "auto, io_uring or epoll")->capture_default_str();
  }
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
}

void SayListening(std::uint16_t port) { std::cout << "listening on " << port << std::endl; }

}  // namespace bench
