#pragma once

#include "cli/arguments.hpp"
#include "config/load.hpp"
#include "node/complain.hpp"
#include "node/setting.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// What the commands of `host` do.
namespace shaddock::cli {

using node::complain;
using node::setting;

/// Runs one command to its end and returns the exit status. Text for people goes to stdout, errors
/// to stderr.
int run(const std::vector<std::string>& arguments);

/// The folders that the flags name; nothing in them is read yet. Paths are absolute.
struct located_folder {
    config::load_options wanted;
    std::filesystem::path exe;
    std::filesystem::path run;
};
/// Which servers.json is meant.
enum class list_choice {
    /// While any process of the system runs its own list, if it has one (control::running_list);
    /// `--servers` must name that one then. Else what `files` means.
    running,
    /// What `--servers` names, else that of the config folder.
    files,
};
/// Errors: config: there is no config folder; `--servers` names another list than the one that
/// counts.
result<located_folder> locate(const place& where, list_choice which = list_choice::running);

/// Removes the list of servers of a system that runs no more.
void forget_stale_list(const place& where);
/// Errors: as locate; config: all that is wrong in the files, a line each.
result<setting> resolve(const place& where, list_choice which = list_choice::running);

/// The record that `--type` and `--id` name. Errors: config, with the known types or the nearest
/// ids.
result<config::server_record> find_record(const config::system& system, std::string_view type,
                                          std::string_view id);

/// What run() does with each command that has a file of its own; the rest stands in run.cpp. Each
/// returns the exit status.
int run_command(const serve_command& wanted);
int run_command(const web_command& wanted);
int run_command(const routes_command& wanted);
int run_command(const client_command& wanted);
/// Reads the files; asks a master only where they are.
int run_command(const logs_command& wanted);
/// Those that ask a running master: run_with_master.cpp.
int run_command(const list_command& wanted);
int run_command(const health_command& wanted);
int run_command(const stop_command& wanted);
int run_command(const reload_command& wanted);
int run_command(const add_command& wanted);
int run_command(const remove_command& wanted);
int run_command(const restart_command& wanted);
int run_command(const kill_command& wanted);
int run_command(const log_command& wanted);
int run_command(const admin_command& wanted);

} // namespace shaddock::cli
