#pragma once

#include "config/load.hpp"
#include "master/supervisor.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

/// The master: one process that starts a system, keeps it alive, answers `host list` and stops it
/// in order.
namespace shaddock::master {

struct master_options {
    config::system system;
    /// Absolute.
    std::filesystem::path run;
    /// What the children run.
    std::filesystem::path exe;
    /// `--servers`, handed on to the children.
    std::optional<std::filesystem::path> servers_file;
    supervisor_options supervision;
    std::string version;
};

/// Where the master speaks to whoever started it.
struct terminal {
    std::function<void(std::string_view line)> say;
    /// The start is over: `is_ready` after the line `ready: N servers`, false after why it failed.
    std::function<void(bool is_ready)> started;
};

/// The children of a system: each server of servers.json, and the page's server unless host.yaml
/// says port 0. Frontends that nobody can call (the gate) stop first, then the other frontends,
/// then backends, then the page.
std::vector<child_plan> plan_children(const master_options& options);
/// A server that was added while the system runs; it reads its list in `servers_file`.
child_plan plan_added(const master_options& options, const config::server_record& server,
                      const std::filesystem::path& servers_file);

/// Runs until SIGINT, SIGTERM, SIGHUP or `host stop`; a second signal kills what still runs.
/// Returns the exit status: 0 after a stop, 1 when the start failed (the terminal has been told
/// why).
int run_master(const master_options& options, const terminal& to);

} // namespace shaddock::master
