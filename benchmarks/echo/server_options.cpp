#include "echo/server_options.h"

#include <iostream>

namespace bench {

void AddServerOptions(CLI::App& app, ServerOptions& options) {
  app.add_option("--port", options.port, "port to listen on at 127.0.0.1, 0: any free one")
      ->capture_default_str();
  app.add_option("--message", options.message_bytes,
                 "answer each message of so many bytes by itself, 0: as the bytes arrive")
      ->capture_default_str();
}

std::optional<int> ParseCommandLine(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
}

void SayListening(std::uint16_t port) { std::cout << "listening on " << port << std::endl; }

}  // namespace bench
