// What the samples' command lines have in common: the same exit statuses and the same words for the
// same option. Knows CLI11, which the samples' other files only declare options with.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "netcore/base/error.h"
#include "netcore/port/port_factory.h"
#include "netcore/session/close_info.h"

namespace samples {

inline constexpr int kExitFailure = 1;  // it could not do what was asked
inline constexpr int kExitUsage = 2;    // what was asked makes no sense

/// Reads the command line. Returns nothing if the program shall go on, and otherwise the status it
/// shall exit with: 0 after --help, kExitUsage after an error, which has then been printed to
/// stderr together with the usage.
std::optional<int> ParseCommandLine(CLI::App& app, int argc, char** argv);

/// Adds --backend, which writes to `backend`.
void AddBackendOption(CLI::App& app, netcore::Backend& backend);

/// Adds --address and --port of the server that a client connects to; what they hold is the
/// default.
void AddServerOptions(CLI::App& app, std::string& address, int& port);

/// Prints "program: what happened" to stderr and returns kExitFailure.
int Fail(const CLI::App& app, std::string_view what);
int Fail(const CLI::App& app, const netcore::Error& error);

/// The same for a connection that ended as it should not have.
int Fail(const CLI::App& app, const netcore::CloseInfo& info);

}  // namespace samples
