#pragma once

#include "cli/arguments.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

/// How commands are described to CLI11. Only for the .cpp files that do so.
namespace shaddock::cli {

/// Groups of commands in `host --help`.
inline constexpr const char* run_group = "Run a system";
inline constexpr const char* look_group = "Look at it";

/// A command that is being described.
template <class Command>
struct verb {
    CLI::App& app;
    /// What parsing fills.
    std::shared_ptr<Command> wanted;
};

/// Adds a command to `host`; parsing puts it into `chosen` when the arguments name it.
/// Lifetime: `chosen` outlives the parsing.
template <class Command>
verb<Command> add_verb(CLI::App& host, std::optional<command>& chosen, const char* name,
                       const char* what, const char* group, const char* help) {
    auto& app = *host.add_subcommand(name, what);
    auto wanted = std::make_shared<Command>();
    app.group(group)->footer(help);
    app.callback([&chosen, wanted] { chosen = *wanted; });
    return {app, std::move(wanted)};
}

/// Words that name servers. `which`: for the help.
CLI::Option* add_targets(CLI::App& app, std::vector<std::string>& targets, const char* which);

/// --run.
void add_run(CLI::App& app, place& where);

/// --env, --config, --servers and --run.
void add_place(CLI::App& app, place& where);

/// The commands that change or watch a running system: stop, reload, add, restart, kill, logs, log.
void add_running_verbs(CLI::App& host, std::optional<command>& chosen);

} // namespace shaddock::cli
