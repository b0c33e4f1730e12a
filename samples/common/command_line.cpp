// Parsing with CLI11, whose own exit statuses say more than a shell wants to know.
#include "common/command_line.h"

#include <iostream>

namespace samples {

std::optional<int> ParseCommandLine(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help() << std::flush;
    return 0;
  } catch (const CLI::ParseError& error) {
    std::cerr << app.get_name() << ": " << error.what() << "\n\n" << app.help() << std::flush;
    return kExitUsage;
  }
}

void AddBackendOption(CLI::App& app, netcore::Backend& backend) {
  const auto parse = [&backend](const std::string& text) {
    if (const netcore::Error error = netcore::ParseBackend(text, backend)) {
      throw CLI::ValidationError("--backend", error.Message());
    }
  };
  app.add_option_function<std::string>("--backend", parse,
                                       "auto, iocp, io_uring or epoll (default: auto)")
      ->type_name("NAME");
}

void AddServerOptions(CLI::App& app, std::string& address, int& port) {
  app.add_option("--address", address, "the server's address")->capture_default_str();
  app.add_option("--port", port, "the server's port")->capture_default_str();
}

int Fail(const CLI::App& app, std::string_view what) {
  std::cerr << app.get_name() << ": " << what << std::endl;
  return kExitFailure;
}

int Fail(const CLI::App& app, const netcore::Error& error) { return Fail(app, error.Message()); }

int Fail(const CLI::App& app, const netcore::CloseInfo& info) {
  const bool never_stood = info.reason == netcore::CloseReason::kConnectFailed ||
                           (info.reason == netcore::CloseReason::kTimedOut && info.error);
  if (never_stood) return Fail(app, info.error);
  std::string why(netcore::ToString(info.reason));
  if (info.error) why += " (" + info.error.Message() + ")";
  return Fail(app, "the connection broke: " + why);
}

}  // namespace samples
