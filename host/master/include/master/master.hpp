#pragma once

#include "config/load.hpp"
#include "master/machines.hpp"
#include "master/supervisor.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <filesystem>
#include <functional>
#include <memory>
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
    supervisor_options supervision;
    std::string version;
    /// Of a system on several machines: this one, and what it shares with the others' masters,
    /// which lives as long as the loop runs; the master starts it. Empty: there is one machine.
    machine_place place{};
    std::function<result<std::unique_ptr<machines>>(const boost::asio::any_io_executor&)> others{};
};

/// Where the master speaks to whoever started it.
struct terminal {
    std::function<void(std::string_view line)> say;
    /// The start is over: `is_ready` after the line `ready: N servers`, false after why it failed.
    std::function<void(bool is_ready)> started;
};

/// The children of a system, who read the running list: each server of it, and the page's server
/// unless host.yaml says port 0. Frontends that nobody can call (the gate) stop first, then the
/// other frontends, then backends, then the page.
std::vector<child_plan> plan_children(const master_options& options);
child_plan plan_server(const master_options& options, const config::server_record& server);

/// `host check` of the same files.
base::launch plan_check(const master_options& options);
/// A master of the same system, in the foreground.
std::vector<std::string> restart_command(const master_options& options);

/// Runs until SIGINT, SIGTERM or `host stop`; a second signal kills what still runs. SIGHUP opens
/// the logs of all processes anew and lets them read certificates, protos and deny.txt again.
/// Returns the exit status: 0 after a stop, 1 when the start failed (the terminal has been told
/// why).
int run_master(const master_options& options, const terminal& to);

} // namespace shaddock::master
