#pragma once

#include "cli/arguments.hpp"
#include "cli/run.hpp"
#include "config/load.hpp"

#include <cstddef>
#include <string>
#include <vector>

/// `host check`: all that a start needs, looked at without starting anything.
namespace shaddock::cli {

struct system_report {
    /// Problems and warnings, in the order of the files, then modules, protos, folders, ports.
    std::vector<config::finding> findings;
    std::size_t servers = 0;
    /// Types with a server.
    std::size_t types = 0;
    /// Module files that were opened.
    std::size_t modules = 0;
    /// Routes of handlers.
    std::size_t routes = 0;
    /// Routes of both proto files.
    std::size_t protos = 0;
    /// Ports that somebody listens on.
    std::size_t ports = 0;

    /// How many findings are no warnings.
    std::size_t problems() const;
};

enum class ports_in_use {
    /// Warn of ports that another process listens on now.
    warned_of,
    /// Whoever listens says it himself.
    not_asked,
};

/// Reads every file of the config folder, opens every module in a process of its own, and looks at
/// ports and folders. What cannot be read does not keep the rest from being looked at.
/// Errors: as locate.
/// Thread: of a process that has no other yet; blocks, at most 5 s for each module.
result<system_report> check_system(const place& where, ports_in_use ports, list_choice which);

/// One line for each finding, then a summary.
std::string to_text(const system_report& report);

/// `{"ok":true,"problems":[{"file","line","key","text"},..],"warnings":[..],"servers":7,"types":3,
/// "modules":4,"routes":3,"protos":1,"ports":6}`; `file` and `key` may be empty, `line` 0.
std::string to_json(const system_report& report);

} // namespace shaddock::cli
