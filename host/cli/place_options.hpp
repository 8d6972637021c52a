#pragma once

#include "cli/arguments.hpp"

namespace CLI {
class App;
}

/// The options that commands share.
namespace shaddock::cli {

/// --run.
void add_run(CLI::App& app, place& where);

/// --env, --config, --servers and --run.
void add_place(CLI::App& app, place& where);

} // namespace shaddock::cli
