#pragma once

#include "node/setting.hpp"

#include <shaddock/error.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace shaddock::node {

/// Module files of a type that are tried together.
struct module_trial {
    std::vector<std::filesystem::path> modules;
    std::string type;
    /// Whose part they play; absent: the first server of the type.
    std::optional<std::string> id;
    /// Given by a server that reloads: where copies stand meanwhile. The process then lives no
    /// longer than that server.
    std::optional<std::filesystem::path> scratch;
    /// A start that still waits after it is good enough.
    std::chrono::milliseconds patience{1000};
};

/// Opens, checks, creates and sets up module files together on a server of their own, then takes
/// them down again. Nobody else is there: its bus and registry are local, clients cannot connect,
/// so a start that fails because another server cannot be reached is no failure; nor is one that
/// still waits after `patience`, as long as it lets the loop turn. Gives what their authors should
/// mend, a line each.
///
/// Errors: config, one line with what the plugin or the checks have said. What crashes or spins
/// takes the process with it: call it in one that is there for nothing else.
result<std::vector<std::string>> check_module(const setting& found, const module_trial& wanted);

/// Whom the module files would cut off among the modules of the other types of host.yaml, as far as
/// these say what they call (shaddock/registrar.hpp, calls): a line each. Opens each in a process
/// of its own; what cannot be opened is passed over, as check_module() tells it.
/// Thread: of a process that has no other yet; blocks, at most 5 s for each module.
std::vector<std::string> cut_off_by(const setting& found, const module_trial& wanted);

} // namespace shaddock::node
